"""What ``loss`` may be: a chance, or a table with a model."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from simlab.core.impair import (
    BernoulliSpec,
    CorrelatedLossSpec,
    FourStateSpec,
    GilbertElliottSpec,
    LibwebrtcLossSpec,
    LossSpec,
    NetemLossSpec,
    ScriptedLossSpec,
    SelectedSpec,
    TimedGilbertElliottSpec,
)
from simlab.profile.fields import Chance, PositiveDuration, Table, listed, model
from simlab.profile.only import ModelTable, only_toml
from simlab.profile.units import chance_text, duration_text


class BernoulliTable(ModelTable):
    """Independent loss."""

    model: Literal["bernoulli"]
    loss_chance: Chance = Field(alias="loss")

    def core(self) -> LossSpec:
        """Return it in the core's terms."""
        return BernoulliSpec(self.loss_chance)


_SHAPES = (
    "want loss and burst; or p and r, with h and k where they are not 0 and 1; "
    "or good and bad, with loss_bad and loss_good where they are not 100% and 0%"
)


class GilbertElliottTable(ModelTable):
    """Loss in bursts: by loss and mean burst in packets, by the chances of the chain, or by mean times."""

    model: Literal["gilbert-elliott"]
    loss_chance: Chance | None = Field(default=None, alias="loss")
    burst_packets: float | None = Field(default=None, alias="burst", ge=1, le=1_000_000_000)
    compat: Literal["libwebrtc"] | None = None
    enter_bad_chance: Chance | None = Field(default=None, alias="p")
    leave_bad_chance: Chance | None = Field(default=None, alias="r")
    pass_chance_bad: Chance = Field(default=0.0, alias="h")
    pass_chance_good: Chance = Field(default=1.0, alias="k")
    good_s: PositiveDuration | None = Field(default=None, alias="good")
    bad_s: PositiveDuration | None = Field(default=None, alias="bad")
    loss_chance_bad: Chance = Field(default=1.0, alias="loss_bad")
    loss_chance_good: Chance = Field(default=0.0, alias="loss_good")

    def core(self) -> LossSpec:
        """Return it in the core's terms.

        Raises
        ------
        ValueError
            If it is none of the three shapes, or no such chain exists.
        """
        given = self.model_fields_set - {"model", "only"}
        if self.loss_chance is not None and self.burst_packets is not None:
            if given == {"loss_chance", "burst_packets", "compat"} and self.compat:
                return LibwebrtcLossSpec(self.loss_chance, self.burst_packets)
            if given == {"loss_chance", "burst_packets"}:
                return GilbertElliottSpec.of_bursts(self.loss_chance, self.burst_packets)
        p, r = self.enter_bad_chance, self.leave_bad_chance
        chain = {"enter_bad_chance", "leave_bad_chance", "pass_chance_bad", "pass_chance_good"}
        if p is not None and r is not None and given <= chain:
            return GilbertElliottSpec(p, r, self.pass_chance_bad, self.pass_chance_good)
        times = {"good_s", "bad_s", "loss_chance_bad", "loss_chance_good"}
        if self.good_s is not None and self.bad_s is not None and given <= times:
            return TimedGilbertElliottSpec(
                self.good_s, self.bad_s, self.loss_chance_bad, self.loss_chance_good
            )
        raise ValueError(_SHAPES)


class FourStateTable(ModelTable):
    """A Markov chain of four states, by the letters and with the defaults of netem's ``loss state``."""

    model: Literal["four-state"]
    p13: Chance
    p31: Chance | None = None
    p32: Chance = 0.0
    p23: Chance = 1.0
    p14: Chance = 0.0

    def core(self) -> LossSpec:
        """Return it in the core's terms."""
        p31 = 1 - self.p13 if self.p31 is None else self.p31
        return FourStateSpec(self.p13, p31, self.p32, self.p23, self.p14)


class CorrelatedLossTable(ModelTable):
    """Loss with a memory: a Gaussian copula, or netem's own arithmetic."""

    model: Literal["correlated"]
    loss_chance: Chance = Field(alias="loss")
    correlation: Chance
    compat: Literal["netem"] | None = None

    def core(self) -> LossSpec:
        """Return it in the core's terms."""
        if self.compat == "netem":
            return NetemLossSpec(self.loss_chance, self.correlation)
        if self.correlation == 1:
            raise ValueError("want a correlation of less than 1 (100%)")
        return CorrelatedLossSpec(self.loss_chance, self.correlation)


class ScriptedLossTable(ModelTable):
    """Loss by a list of packet numbers from 1, or by a pattern such as ``"..x."`` that is repeated."""

    model: Literal["scripted"]
    drop: Annotated[tuple[int, ...], BeforeValidator(listed), Field(max_length=100_000)] = ()
    pattern: str = Field(default="", max_length=100_000)

    def core(self) -> LossSpec:
        """Return it in the core's terms."""
        if set(self.pattern) - {".", "x"}:
            raise ValueError('want a pattern of "x" for a lost packet and "." for another')
        if any(number < 1 for number in self.drop):
            raise ValueError("want packet numbers from 1 on in drop")
        if bool(self.drop) == bool(self.pattern):
            raise ValueError("want either drop or pattern")
        return ScriptedLossSpec(frozenset(self.drop), self.pattern)


LOSS_TABLES: dict[str, type[Table]] = {
    "#bernoulli": BernoulliTable,
    "#gilbert-elliott": GilbertElliottTable,
    "#four-state": FourStateTable,
    "#correlated": CorrelatedLossTable,
    "#scripted": ScriptedLossTable,
}

if TYPE_CHECKING:
    LossValue = LossSpec
else:
    LossValue = Annotated[
        Annotated[Chance, AfterValidator(BernoulliSpec), Tag("#text")]
        | Annotated[BernoulliTable, AfterValidator(BernoulliTable.spec), Tag("#bernoulli")]
        | Annotated[GilbertElliottTable, AfterValidator(GilbertElliottTable.spec), Tag("#gilbert-elliott")]
        | Annotated[FourStateTable, AfterValidator(FourStateTable.spec), Tag("#four-state")]
        | Annotated[CorrelatedLossTable, AfterValidator(CorrelatedLossTable.spec), Tag("#correlated")]
        | Annotated[ScriptedLossTable, AfterValidator(ScriptedLossTable.spec), Tag("#scripted")],
        Discriminator(model),
    ]


def _scripted_toml(spec: ScriptedLossSpec) -> dict[str, Any]:
    if spec.pattern:
        return {"model": "scripted", "pattern": spec.pattern}
    return {"model": "scripted", "drop": sorted(spec.drop)}


_WRITERS: Mapping[type, Callable[[Any], dict[str, Any]]] = {
    BernoulliSpec: lambda s: {"model": "bernoulli", "loss": chance_text(s.loss_chance)},
    GilbertElliottSpec: lambda s: {
        "model": "gilbert-elliott",
        "p": chance_text(s.enter_bad_chance),
        "r": chance_text(s.leave_bad_chance),
        "h": chance_text(s.pass_chance_bad),
        "k": chance_text(s.pass_chance_good),
    },
    TimedGilbertElliottSpec: lambda s: {
        "model": "gilbert-elliott",
        "good": duration_text(s.good_s),
        "bad": duration_text(s.bad_s),
        "loss_bad": chance_text(s.loss_chance_bad),
        "loss_good": chance_text(s.loss_chance_good),
    },
    FourStateSpec: lambda s: {
        "model": "four-state",
        **{name: chance_text(getattr(s, name)) for name in ("p13", "p31", "p32", "p23", "p14")},
    },
    CorrelatedLossSpec: lambda s: {
        "model": "correlated",
        "loss": chance_text(s.loss_chance),
        "correlation": chance_text(s.correlation),
    },
    NetemLossSpec: lambda s: {
        "model": "correlated",
        "loss": chance_text(s.loss_chance),
        "correlation": chance_text(s.correlation),
        "compat": "netem",
    },
    LibwebrtcLossSpec: lambda s: {
        "model": "gilbert-elliott",
        "loss": chance_text(s.loss_chance),
        "burst": s.burst_packets,
        "compat": "libwebrtc",
    },
    ScriptedLossSpec: _scripted_toml,
}


def loss_toml(spec: LossSpec) -> Any:
    """Write a loss as the profile would have it."""
    if isinstance(spec, SelectedSpec):
        return {**_WRITERS[type(spec.spec)](spec.spec), "only": only_toml(spec.selection)}
    if isinstance(spec, BernoulliSpec):
        return chance_text(spec.loss_chance)
    return _WRITERS[type(spec)](spec)
