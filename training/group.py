"""Several processes that train one model together: every batch is divided among them.

All of them run the same program on the same samples. Where the model computes, each takes its own
lines of every pass, so all make the same number of calls of the model, which sharded weights need;
what they found is then added up or gathered, and from there on all know the same again. A process
that is ``ALONE`` does what it always did.
"""

import os
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist

from sparring.envs.core import BadInput

T = TypeVar("T")
PATIENCE = 3600.0  # seconds: longer than the games of a step take, for which the others wait


@dataclass(frozen=True)
class Group:
    """A group of one process: the ``rank``-th of ``size``.

    In a group of several every method must be called by all of them, in the same order.
    """

    rank: int = 0
    size: int = 1

    def own(self, many: int) -> tuple[int, int]:
        """Which of ``many`` things in a row this process takes: [first, one past the last)."""
        return many * self.rank // self.size, many * (self.rank + 1) // self.size

    def sum(self, values: torch.Tensor) -> torch.Tensor:
        """The sum over the processes; carries no gradient."""
        return values

    def gather(self, values: torch.Tensor, places: torch.Tensor, many: int) -> torch.Tensor:
        """From ``values`` [n, ...] at this process's ``places`` [n] to those at all of them,
        [many, ...], in order; carries no gradient."""
        return values

    def share(self, value: T | None) -> T:
        """What rank 0 gives, for all; what the others give is not looked at. It is pickled."""
        return value  # type: ignore[return-value]  # rank 0 gives what there is

    def agree(self, *numbers: int) -> None:
        """See that all processes have the same numbers: those that went different ways would
        otherwise wait for each other, or add up what does not belong together.

        Raises:
            RuntimeError: they have not.
        """

    def leave(self) -> None:
        """End the connection."""


ALONE = Group()


@dataclass(frozen=True)
class Joined(Group):
    """A process that ``joined`` others, over ``torch.distributed``; it computes on ``device``."""

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def sum(self, values: torch.Tensor) -> torch.Tensor:
        total = values.detach().clone()
        dist.all_reduce(total)
        return total

    def gather(self, values: torch.Tensor, places: torch.Tensor, many: int) -> torch.Tensor:
        every = values.new_zeros(many, *values.shape[1:])
        every[places] = values.detach()
        return self.sum(every)  # of every place one process has the number, and the others 0

    def share(self, value: T | None) -> T:
        box = [value]
        dist.broadcast_object_list(box, src=0, device=torch.device("cpu"))
        return box[0]  # type: ignore[return-value]

    def agree(self, *numbers: int) -> None:
        both = torch.tensor([numbers, [-number for number in numbers]])
        dist.all_reduce(both, dist.ReduceOp.MAX)
        if not torch.equal(both[0], -both[1]):
            raise RuntimeError("the processes of a learner group have different batches")

    def leave(self) -> None:
        dist.destroy_process_group()


def joined(
    rank: int,
    size: int,
    address: str,
    port: int,
    *,
    device: str = "cpu",
    patience: float = PATIENCE,
) -> Group:
    """This process as the ``rank``-th of ``size`` that meet at ``address``:``port`` of rank 0's
    machine. Returns when all have come; fails if one stays away for ``patience`` seconds, here or
    at any later meeting.

    ``device``: "cpu", or the "cuda:0" that this process has for itself. Sets the environment
    variables that accelerate reads.

    Raises:
        BadInput: there is no such place in the group or no such device.
    """
    if not 0 <= rank < size:
        raise BadInput(f"rank {rank} is none of a group of {size}: 0 to {size - 1}")
    kind = device.partition(":")[0]
    if kind not in ("cpu", "cuda") or (kind == "cuda" and not torch.cuda.is_available()):
        raise BadInput(f"a learner group computes on cpu, or on cuda where there is one: {device}?")
    where = torch.device(device)
    if size == 1:
        return ALONE
    index = where.index or 0
    told = {"RANK": rank, "WORLD_SIZE": size, "MASTER_ADDR": address, "MASTER_PORT": port}
    os.environ |= {name: str(value) for name, value in {**told, "LOCAL_RANK": index}.items()}
    # where it is not set, accelerate chooses how many threads torch has, whatever was chosen before
    os.environ.setdefault("OMP_NUM_THREADS", str(torch.get_num_threads()))
    kinds = "gloo"
    if where.type == "cuda":
        where = torch.device("cuda", index)
        torch.cuda.set_device(where)
        kinds = "cpu:gloo,cuda:nccl"  # weights by nccl; losses and log-probabilities are on the CPU
    dist.init_process_group(
        kinds,
        init_method=f"tcp://{address}:{port}",
        rank=rank,
        world_size=size,
        timeout=timedelta(seconds=patience),
    )
    return Joined(rank, size, where)
