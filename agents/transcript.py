"""An episode as text that a person can read."""

from sparring.envs.core import Episode


def transcript(episode: Episode) -> str:
    """The seats, what each role saw and said (thoughts marked private), and the payoffs."""
    seats = ", ".join(f"{role} = {name}" for role, name in episode.seats.items())
    lines = [f"# {episode.game}, deal {episode.seed}: {seats}"]
    known = dict.fromkeys(episode.seats, 0)
    for turn in episode.turns:
        messages = turn.observation.messages
        for message in messages[known[turn.role] :]:
            lines.append(f"  {turn.role} sees  {message.text!r}")
        known[turn.role] = len(messages)
        if turn.action.private:
            lines.append(f"  {turn.role} thinks  {turn.action.private!r}")
        refused = "" if turn.accepted else "   (illegal)"
        lines.append(f"  {turn.role} says  {turn.action.text!r}{refused}")
    for role, view in episode.views.items():
        lines += [f"  {role} sees  {message.text!r}" for message in view[known[role] :]]
    lines += [f"  {role} forfeits" for role in episode.forfeits]
    if episode.parts:
        lines.append("  " + ", ".join(f"{role} was {part}" for role, part in episode.parts.items()))
    if episode.void is not None:
        lines.append(f"  void: {episode.void}")
    lines.append("  " + ", ".join(f"{role}: {p:+g}" for role, p in episode.payoffs.items()))
    return "\n".join(lines) + "\n"
