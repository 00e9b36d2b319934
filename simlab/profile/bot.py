"""The ``[bot]`` table: what the built-in server's bot does, beside being there."""

from typing import Literal

from pydantic import Field

from simlab.profile.fields import Duration, PositiveDuration, Table


class BotKeys(Table):
    """``[bot]``: how the built-in server's bot behaves. None leaves a thing undone.

    Parameters
    ----------
    starts_after_s
        How long after the offer it is there. Until then messages wait, and nothing is heard.
    voice
        ``"tone"``, or ``"echo"``: what the microphone says, said back.
    talks_for_s, pauses_for_s
        It talks in turns of these lengths; without ``talks_for`` it never stops.
    ends_after_s
        It ends the call so long after it was there.
    ends_on
        It ends the call when a client message of this type (``t``) comes.
    greets
        Whether it greets each time that it is told of a client.
    prompts_after_s
        It asks whether somebody is there when a microphone that is on was silent for so long.
    """

    starts_after_s: Duration = Field(default=0.0, alias="starts_after")
    voice: Literal["tone", "echo"] = "tone"
    talks_for_s: PositiveDuration | None = Field(default=None, alias="talks_for")
    pauses_for_s: Duration = Field(default=0.0, alias="pauses_for")
    ends_after_s: PositiveDuration | None = Field(default=None, alias="ends_after")
    ends_on: str | None = Field(default=None, min_length=1)
    greets: bool = False
    prompts_after_s: PositiveDuration | None = Field(default=None, alias="prompts_after")

    @property
    def pause_s(self) -> float:
        """How long it is silent between two turns; 0 if it never stops."""
        return 0.0 if self.talks_for_s is None else self.pauses_for_s

    def talks_at(self, since_s: float) -> bool:
        """Tell whether it talks, so long after its client came."""
        return self.talks_for_s is None or since_s % (self.talks_for_s + self.pauses_for_s) < self.talks_for_s
