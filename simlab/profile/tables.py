"""The tables that ``delay`` and ``loss`` may be, instead of a single value."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from simlab.core.impair import (
    BernoulliSpec,
    ConstantDelaySpec,
    DelaySpec,
    GilbertElliottSpec,
    LossSpec,
    NormalDelaySpec,
    UniformDelaySpec,
)
from simlab.profile.fields import Chance, Duration, Table, tag_of
from simlab.profile.units import chance_text, duration_text


class ConstantDelayTable(Table):
    """The same delay for every packet."""

    model: Literal["constant"]
    mean_s: Duration = Field(alias="mean")

    def spec(self) -> DelaySpec:
        """Return it in the core's terms."""
        return ConstantDelaySpec(self.mean_s)


class UniformDelayTable(Table):
    """Delays spread evenly over mean ± jitter."""

    model: Literal["uniform"]
    mean_s: Duration = Field(alias="mean")
    jitter_s: Duration = Field(alias="jitter")
    reorder: bool = False

    def spec(self) -> DelaySpec:
        """Return it in the core's terms."""
        return UniformDelaySpec(self.mean_s, self.jitter_s, self.reorder)


class NormalDelayTable(Table):
    """Delays from a normal distribution, never below 0."""

    model: Literal["normal"]
    mean_s: Duration = Field(alias="mean")
    deviation_s: Duration = Field(alias="deviation")
    reorder: bool = False

    def spec(self) -> DelaySpec:
        """Return it in the core's terms."""
        return NormalDelaySpec(self.mean_s, self.deviation_s, self.reorder)


class BernoulliTable(Table):
    """Independent loss."""

    model: Literal["bernoulli"]
    loss_chance: Chance = Field(alias="loss")

    def spec(self) -> LossSpec:
        """Return it in the core's terms."""
        return BernoulliSpec(self.loss_chance)


class GilbertElliottTable(Table):
    """Loss in bursts: by loss and mean burst in packets, or by the four chances of the chain."""

    model: Literal["gilbert-elliott"]
    loss_chance: Chance | None = Field(default=None, alias="loss")
    burst_packets: float | None = Field(default=None, alias="burst", ge=1, le=1_000_000_000)
    enter_bad_chance: Chance | None = Field(default=None, alias="p")
    leave_bad_chance: Chance | None = Field(default=None, alias="r")
    pass_chance_bad: Chance = Field(default=0.0, alias="h")
    pass_chance_good: Chance = Field(default=1.0, alias="k")

    def spec(self) -> LossSpec:
        """Return it in the core's terms.

        Raises
        ------
        ValueError
            If it is neither (loss, burst) nor (p, r, h, k), or no such chain exists.
        """
        given = self.model_fields_set - {"model"}
        if self.loss_chance is not None and self.burst_packets is not None and len(given) == 2:
            return GilbertElliottSpec.of_bursts(self.loss_chance, self.burst_packets)
        p, r = self.enter_bad_chance, self.leave_bad_chance
        if p is None or r is None or given & {"loss_chance", "burst_packets"}:
            raise ValueError(
                "want either loss and burst, or p and r, with h and k where they are not 0 and 1"
            )
        return GilbertElliottSpec(p, r, self.pass_chance_bad, self.pass_chance_good)


def model(value: Any) -> str | None:
    """Tell which of the shapes of a delay or a loss a value has."""
    return tag_of(value, "model") if isinstance(value, dict) else "#text"


if TYPE_CHECKING:
    DelayValue = DelaySpec
    LossValue = LossSpec
else:
    DelayValue = Annotated[
        Annotated[Duration, AfterValidator(ConstantDelaySpec), Tag("#text")]
        | Annotated[ConstantDelayTable, AfterValidator(ConstantDelayTable.spec), Tag("#constant")]
        | Annotated[UniformDelayTable, AfterValidator(UniformDelayTable.spec), Tag("#uniform")]
        | Annotated[NormalDelayTable, AfterValidator(NormalDelayTable.spec), Tag("#normal")],
        Discriminator(model),
    ]
    LossValue = Annotated[
        Annotated[Chance, AfterValidator(BernoulliSpec), Tag("#text")]
        | Annotated[BernoulliTable, AfterValidator(BernoulliTable.spec), Tag("#bernoulli")]
        | Annotated[GilbertElliottTable, AfterValidator(GilbertElliottTable.spec), Tag("#gilbert-elliott")],
        Discriminator(model),
    ]


def delay_toml(spec: DelaySpec) -> Any:
    """Write a delay as the profile would have it."""
    mean = duration_text(spec.mean_s)
    if isinstance(spec, ConstantDelaySpec):
        return mean
    if isinstance(spec, UniformDelaySpec):
        jitter = duration_text(spec.jitter_s)
        return {"model": "uniform", "mean": mean, "jitter": jitter, "reorder": spec.reorder}
    deviation = duration_text(spec.deviation_s)
    return {"model": "normal", "mean": mean, "deviation": deviation, "reorder": spec.reorder}


def loss_toml(spec: LossSpec) -> Any:
    """Write a loss as the profile would have it."""
    if isinstance(spec, BernoulliSpec):
        return chance_text(spec.loss_chance)
    return {
        "model": "gilbert-elliott",
        "p": chance_text(spec.enter_bad_chance),
        "r": chance_text(spec.leave_bad_chance),
        "h": chance_text(spec.pass_chance_bad),
        "k": chance_text(spec.pass_chance_good),
    }
