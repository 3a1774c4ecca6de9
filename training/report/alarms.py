"""The section about what went wrong in runs."""

from collections.abc import Sequence

from sparring.training.report.blocks import Note, Notes, Section
from sparring.training.report.folders import Run

MOST = 12  # alarms; those that are still on come first, then the newest


def alarms(runs: Sequence[Run]) -> list[Section]:
    """What the alarms of these runs said, if they said anything."""
    notes = [note for run in runs for note in _notes(run, run.name if len(runs) > 1 else "")]
    if not notes:
        return []
    on = sum(note.bad for _, note in notes)
    notes.sort(key=lambda pair: (not pair[1].bad, -pair[0]))
    left_out = f" The other {len(notes) - MOST} are in alarms.jsonl." if len(notes) > MOST else ""
    said = f"{on} on at the end, {len(notes) - on} over." + left_out
    return [Section("Alarms", [Notes([note for _, note in notes[:MOST]])], said, "Alarms")]


def _notes(run: Run, of: str) -> list[tuple[int, Note]]:
    """Each alarm of a run with the step at which it was raised."""
    raised: dict[str, tuple[int, str, str]] = {}
    found = []
    for line in run.alarms:
        step, alarm = int(line.get("step", 0)), str(line.get("alarm", ""))
        if not line.get("over"):
            raised[alarm] = step, str(line.get("says", "")), str(line.get("do", ""))
        elif alarm in raised:
            since, says, do = raised.pop(alarm)
            about = f"{of}: {alarm}" if of else alarm
            found.append((since, Note(about, f"steps {since} to {step}", says, do, bad=False)))
    for alarm, (since, says, do) in raised.items():
        about = f"{of}: {alarm}" if of else alarm
        found.append((since, Note(about, f"since step {since}", says, do, bad=True)))
    return found
