"""What ``delay`` may be: a duration, or a table with a model."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    model_validator,
)

from simlab.core.impair import (
    ConstantDelaySpec,
    CorrelatedDelaySpec,
    DelayDistribution,
    DelaySpec,
    EmpiricalDelaySpec,
    NetemDelaySpec,
    NormalDelaySpec,
    ParetoDelaySpec,
    ParetoNormalDelaySpec,
    Rfc8868DelaySpec,
    SelectedSpec,
    UniformDelaySpec,
)
from simlab.profile.fields import Chance, Duration, Rate, Table, listed, model
from simlab.profile.files import file_text, samples_of
from simlab.profile.only import ModelTable, only_toml
from simlab.profile.units import chance_text, duration_text, rate_text


class ConstantDelayTable(ModelTable):
    """The same delay for every packet."""

    model: Literal["constant"]
    mean_s: Duration = Field(alias="mean")

    def core(self) -> DelaySpec:
        """Return it in the core's terms."""
        return ConstantDelaySpec(self.mean_s)


class _Varying(ModelTable):
    reorder: bool = False
    correlation: Chance = 0.0

    def distribution(self) -> DelayDistribution:
        """Return the distribution of single delays."""
        raise NotImplementedError

    def core(self) -> Any:
        """Return it in the core's terms."""
        if self.correlation == 1:
            raise ValueError("want a correlation of less than 1 (100%)")
        spec = self.distribution()
        return CorrelatedDelaySpec(spec, self.correlation) if self.correlation else spec


class _AsNetem(_Varying):
    """What netem has too, and what it would make of the same numbers."""

    compat: Literal["netem"] | None = None

    def netem(self) -> NetemDelaySpec:
        """Return it as netem would have it."""
        raise NotImplementedError

    def core(self) -> Any:
        """Return it in the core's terms."""
        if self.compat is None:
            return super().core()
        if not self.reorder:
            raise ValueError("want reorder = true with compat, since netem's packets overtake")
        return self.netem()


class UniformDelayTable(_AsNetem):
    """Delays spread evenly over mean ± jitter."""

    model: Literal["uniform"]
    mean_s: Duration = Field(alias="mean")
    jitter_s: Duration = Field(alias="jitter")

    def netem(self) -> NetemDelaySpec:
        """Return it as netem would have it."""
        return NetemDelaySpec(self.model, self.mean_s, self.jitter_s, self.correlation)

    def distribution(self) -> DelayDistribution:
        """Return the distribution of single delays."""
        return UniformDelaySpec(self.mean_s, self.jitter_s, self.reorder)


class NormalDelayTable(_AsNetem):
    """Delays from a normal distribution, never below 0."""

    model: Literal["normal"]
    mean_s: Duration = Field(alias="mean")
    deviation_s: Duration = Field(alias="deviation")

    def netem(self) -> NetemDelaySpec:
        """Return it as netem would have it."""
        return NetemDelaySpec(self.model, self.mean_s, self.deviation_s, self.correlation)

    def distribution(self) -> DelayDistribution:
        """Return the distribution of single delays."""
        return NormalDelaySpec(self.mean_s, self.deviation_s, self.reorder)


class ParetoDelayTable(_AsNetem):
    """Delays with a long tail, of exactly that mean and deviation."""

    model: Literal["pareto"]
    mean_s: Duration = Field(alias="mean")
    deviation_s: Duration = Field(alias="deviation")
    shape: float = Field(default=3.0, le=1000)

    def netem(self) -> NetemDelaySpec:
        """Return it as netem would have it."""
        if self.shape != 3:
            raise ValueError("want no shape with compat: netem's is 3")
        return NetemDelaySpec(self.model, self.mean_s, self.deviation_s, self.correlation)

    def distribution(self) -> DelayDistribution:
        """Return the distribution of single delays."""
        return ParetoDelaySpec(self.mean_s, self.deviation_s, self.shape, self.reorder)


class ParetoNormalDelayTable(ModelTable):
    """One part normal to three parts Pareto."""

    model: Literal["pareto-normal"]
    mean_s: Duration = Field(alias="mean")
    deviation_s: Duration = Field(alias="deviation")
    reorder: bool = False
    compat: Literal["netem"] | None = None

    def core(self) -> DelaySpec:
        """Return it in the core's terms."""
        if self.compat is None:
            return ParetoNormalDelaySpec(self.mean_s, self.deviation_s, self.reorder)
        if not self.reorder:
            raise ValueError("want reorder = true with compat, since netem's packets overtake")
        return NetemDelaySpec(self.model, self.mean_s, self.deviation_s)


class EmpiricalDelayTable(_Varying):
    """Delays drawn from measured ones: a list, or a file with one in each line."""

    model: Literal["empirical"]
    samples_s: Annotated[tuple[Duration, ...], BeforeValidator(listed), Field(max_length=1_000_000)] = Field(
        default=(), alias="samples"
    )
    file: str | None = None

    @model_validator(mode="after")
    def _read(self, info: ValidationInfo) -> "EmpiricalDelayTable":
        if (self.file is None) == (not self.samples_s):
            raise ValueError("want either samples or file")
        if self.file is None:
            return self
        return self.model_copy(update={"samples_s": samples_of(file_text(self.file, info)), "file": None})

    def distribution(self) -> DelayDistribution:
        """Return the distribution of single delays."""
        return EmpiricalDelaySpec(tuple(sorted(self.samples_s)), self.reorder)


class Rfc8868DelayTable(ModelTable):
    """RFC 8868's jitter: RBPDV with ``reorder``, NR-BPDV without."""

    model: Literal["rfc8868"]
    mean_s: Duration = Field(alias="mean")
    deviation_s: Duration = Field(default=0.005, alias="deviation")
    reorder: bool = False
    rate_bytes_per_s: Rate | None = Field(default=None, alias="rate")

    def core(self) -> DelaySpec:
        """Return it in the core's terms."""
        return Rfc8868DelaySpec(self.mean_s, self.deviation_s, self.reorder, self.rate_bytes_per_s)


DELAY_TABLES: dict[str, type[Table]] = {
    "#constant": ConstantDelayTable,
    "#uniform": UniformDelayTable,
    "#normal": NormalDelayTable,
    "#pareto": ParetoDelayTable,
    "#pareto-normal": ParetoNormalDelayTable,
    "#empirical": EmpiricalDelayTable,
    "#rfc8868": Rfc8868DelayTable,
}

if TYPE_CHECKING:
    DelayValue = DelaySpec
else:
    _ParetoNormal = Annotated[ParetoNormalDelayTable, AfterValidator(ParetoNormalDelayTable.spec)]
    DelayValue = Annotated[
        Annotated[Duration, AfterValidator(ConstantDelaySpec), Tag("#text")]
        | Annotated[ConstantDelayTable, AfterValidator(ConstantDelayTable.spec), Tag("#constant")]
        | Annotated[UniformDelayTable, AfterValidator(UniformDelayTable.spec), Tag("#uniform")]
        | Annotated[NormalDelayTable, AfterValidator(NormalDelayTable.spec), Tag("#normal")]
        | Annotated[ParetoDelayTable, AfterValidator(ParetoDelayTable.spec), Tag("#pareto")]
        | Annotated[_ParetoNormal, Tag("#pareto-normal")]
        | Annotated[EmpiricalDelayTable, AfterValidator(EmpiricalDelayTable.spec), Tag("#empirical")]
        | Annotated[Rfc8868DelayTable, AfterValidator(Rfc8868DelayTable.spec), Tag("#rfc8868")],
        Discriminator(model),
    ]


def _rfc8868_toml(spec: Rfc8868DelaySpec) -> dict[str, Any]:
    rate = spec.rate_bytes_per_s
    return {
        "model": "rfc8868",
        **_mean_and_deviation(spec),
        **({} if rate is None else {"rate": rate_text(rate)}),
    }


def _netem_toml(spec: NetemDelaySpec) -> dict[str, Any]:
    name = spec.distribution
    table = {"model": name, "mean": duration_text(spec.mean_s), "reorder": True, "compat": "netem"}
    table["jitter" if name == "uniform" else "deviation"] = duration_text(spec.jitter_s)
    return table | ({"correlation": chance_text(spec.correlation)} if spec.correlation else {})


def _mean_and_deviation(spec: Any) -> dict[str, Any]:
    mean, deviation = duration_text(spec.mean_s), duration_text(spec.deviation_s)
    return {"mean": mean, "deviation": deviation, "reorder": spec.reorder}


_WRITERS: Mapping[type, Callable[[Any], dict[str, Any]]] = {
    ConstantDelaySpec: lambda s: {"model": "constant", "mean": duration_text(s.mean_s)},
    UniformDelaySpec: lambda s: {
        "model": "uniform",
        "mean": duration_text(s.mean_s),
        "jitter": duration_text(s.jitter_s),
        "reorder": s.reorder,
    },
    NormalDelaySpec: lambda s: {"model": "normal", **_mean_and_deviation(s)},
    ParetoDelaySpec: lambda s: {"model": "pareto", **_mean_and_deviation(s), "shape": s.shape},
    ParetoNormalDelaySpec: lambda s: {"model": "pareto-normal", **_mean_and_deviation(s)},
    EmpiricalDelaySpec: lambda s: {
        "model": "empirical",
        "samples": [duration_text(sample_s) for sample_s in s.samples_s],
        "reorder": s.reorder,
    },
    Rfc8868DelaySpec: _rfc8868_toml,
    NetemDelaySpec: _netem_toml,
    CorrelatedDelaySpec: lambda s: {
        **_WRITERS[type(s.spec)](s.spec),
        "correlation": chance_text(s.correlation),
    },
}


def delay_toml(spec: DelaySpec) -> Any:
    """Write a delay as the profile would have it."""
    if isinstance(spec, SelectedSpec):
        return {**_WRITERS[type(spec.spec)](spec.spec), "only": only_toml(spec.selection)}
    if isinstance(spec, ConstantDelaySpec):
        return duration_text(spec.mean_s)
    return _WRITERS[type(spec)](spec)
