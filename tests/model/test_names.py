"""No two instances can meet in any name."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from tenantry.core.file_names import file_name
from tenantry.core.findings import ObjectId
from tenantry.model import names
from tenantry.model.common import ENVIRONMENTS
from tenantry.model.names import InstanceNames

tenants = st.from_regex(
    r"\A[a-z][a-z0-9]{0,6}(-(?:[a-z0-9]{1,6}|production|staging|recovery|api|cell|reporting)){0,2}\Z"
).filter(lambda name: len(name) <= 30)
instances = st.builds(InstanceNames, tenants, st.sampled_from(ENVIRONMENTS))
PROPERTIES = sorted(
    name
    for name, value in vars(InstanceNames).items()
    if isinstance(value, property) and name not in ("tenant", "environment")
)


def spellings(one: InstanceNames) -> dict[str, str]:
    """Every name of an instance, by what it names."""
    return {
        **{name: getattr(one, name) for name in PROPERTIES},
        "host": one.host("erp.example"),
        "api_host": one.api_host("erp.example"),
        "own_bucket": one.own_bucket("files"),
    }


@given(instances, instances)
def test_two_instances_share_no_name(one: InstanceNames, other: InstanceNames) -> None:
    assume(one != other)
    first, second = spellings(one), spellings(other)
    assert not {key for key in first if first[key] == second[key]}


@given(instances, instances)
def test_no_path_or_pattern_is_a_prefix_of_anothers(one: InstanceNames, other: InstanceNames) -> None:
    assume(one != other)
    assert not other.secret_path.startswith(f"{one.secret_path}/")
    assert not other.object_prefix.startswith(f"{one.object_prefix}/")
    assert not other.redis_key_pattern.removesuffix("*").startswith(one.redis_key_pattern.removesuffix("*"))
    assert not other.redis_channel_pattern.removesuffix("*").startswith(one.redis_channel_pattern.removesuffix("*"))


@given(instances, tenants)
def test_no_cell_or_cluster_takes_an_instances_name(one: InstanceNames, other: str) -> None:
    applications = {one.infra_application, one.app_application, one.standby_application}
    assert names.cell_namespace(other) != one.namespace
    assert not applications & {names.cell_application(other), names.platform_application(other)}


@given(instances)
def test_names_fit_their_limits(one: InstanceNames) -> None:
    assert len(one.namespace) <= 41
    assert len(one.reporting_role) <= 63
    assert len(one.own_bucket("x" * 18)) <= 63


words = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=80)
ids = st.builds(
    ObjectId,
    st.sampled_from(["", "apps", "rbac.authorization.k8s.io"]),
    st.sampled_from(["Role", "Job"]),
    st.sampled_from(["", "a", "a-b"]),
    words,
)


@given(ids, ids)
def test_two_objects_share_no_file_even_where_case_does_not_count(one: ObjectId, other: ObjectId) -> None:
    assume(one != other)
    assert file_name(one).lower() != file_name(other).lower()
    assert len(file_name(one).encode()) <= 255
    assert not set(file_name(one)) & set('/\\:*?"<>| ')
