"""The next step of a release on its way through a channel: staging, canaries, waves, everybody."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

from tenantry.change.windows import next_opening, next_window
from tenantry.core.findings import UsageError
from tenantry.core.suggestions import choices
from tenantry.inputs.fleet import Fleet
from tenantry.model.channel import Channel
from tenantry.model.release import Release
from tenantry.plan.inputs import Inputs
from tenantry.resolve.instance import Instance


@dataclass(frozen=True, slots=True)
class PromotionStep:
    """What to change in the channel's file, in the form that `set` takes, and what that does."""

    channel: str
    edits: tuple[str, ...]
    what: str
    tenants: tuple[str, ...] = ()
    """Tenants whose production is upgraded by this step, each with the window in which that happens."""
    then: str = ""


def next_step(inputs: Inputs, channel_name: str, release_name: str, since: str) -> PromotionStep:
    """The next step. Raises UsageError for names that do not exist, and when a step before it was not proved."""
    channel, release = _known(inputs.fleet, channel_name, release_name)
    if channel.rollout is not None and channel.rollout.release != release.name:
        raise UsageError(
            f"channel '{channel.name}' is in the middle of a rollout of '{channel.rollout.release}'",
            f"finish it first, or take it back with 'tenantry rollback {channel.name}'",
        )
    if channel.releases.production == release.name:
        raise UsageError(
            f"production of channel '{channel.name}' runs '{release.name}' already", "there is nothing to do"
        )
    if channel.releases.staging != release.name:
        return PromotionStep(
            channel.name, (f"spec.releases.staging={release.name}",), f"staging of channel '{channel.name}' gets '{release.name}'",
            then=_record(channel, release, "staging"),
        )  # fmt: skip
    _must_be_proved(channel, release, "staging")
    return _wave(inputs, channel, release, since)


def _known(fleet: Fleet, channel_name: str, release_name: str) -> tuple[Channel, Release]:
    channel, release = fleet.find(Channel, channel_name), fleet.find(Release, release_name)
    if channel is None:
        raise UsageError(f"there is no channel '{channel_name}'", choices(channel_name, fleet.all(Channel), "channels"))
    if release is None:
        raise UsageError(f"there is no release '{release_name}'", choices(release_name, fleet.all(Release), "releases"))
    return channel, release


def _record(channel: Channel, release: Release, environment: str) -> str:
    return (
        f"when it has run there: tenantry promote {channel.name} {release.name} --record {environment} --by WHO "
        "--migration passed --probes passed"
    )


def _must_be_proved(channel: Channel, release: Release, environment: str) -> None:
    """The last record of an environment counts."""
    found = sorted((p for p in release.proved if p.environment == environment), key=lambda proof: proof.date)
    last = found[-1] if found else None
    if last is None or not last.passed:
        why = (
            f"'{release.name}' was not proved in {environment}" if last is None or last.by is None
            else f"'{release.name}' failed in {environment} on {last.date} ({last.by})"
        )  # fmt: skip
        raise UsageError(why, _record(channel, release, environment))


def _wave(inputs: Inputs, channel: Channel, release: Release, since: str) -> PromotionStep:
    followers = sorted(
        (i for i in inputs.resolution.instances.values() if i.tenant.channel == channel.name and i.environment == "production" and not i.leaving),
        key=lambda i: (i.tenant.users, i.tenant.name),
    )  # fmt: skip
    done = set(channel.rollout.tenants) if channel.rollout else set()
    if done:
        _must_be_proved(channel, release, "production")
    waiting = [i for i in followers if i.tenant.name not in done]
    frozen = [i for i in waiting if next_opening(i, since) is None]
    free = [i for i in waiting if i not in frozen]
    chosen, number, of = _chosen(channel, followers, done, free)
    if len(chosen) == len(waiting):
        edits = [f"spec.releases.production={release.name}", f"spec.releases.recovery={release.name}"]
        edits += ["spec.rollout-"] if channel.rollout else []
        return PromotionStep(
            channel.name, tuple(edits), f"the last wave: production of channel '{channel.name}' gets '{release.name}'",
            _windows(chosen, since),
        )  # fmt: skip
    names = [*(channel.rollout.tenants if channel.rollout else ()), *(i.tenant.name for i in chosen)]
    value = json.dumps({"release": release.name, "tenants": names})
    held = f"; held back by a freeze: {', '.join(i.tenant.name for i in frozen)}" if frozen else ""
    return PromotionStep(
        channel.name, (f"spec.rollout={value}",), f"wave {number} of {of}: {len(names)} of {len(followers)} tenants have '{release.name}'{held}",
        _windows(chosen, since), _record(channel, release, "production"),
    )  # fmt: skip


def _chosen(
    channel: Channel, followers: Sequence[Instance], done: set[str], free: Sequence[Instance]
) -> tuple[list[Instance], int, int]:
    """Tenants of the next wave, smallest first; its number, and how many waves there are."""
    shares = [share for share in channel.waves if share < 100] + [100]
    if not done:
        canaries = [i for i in free if i.tenant.name in channel.canaries] or list(free[:1])
        return canaries, 1, len(shares) + 1
    for number, share in enumerate(shares, start=2):
        wanted = math.ceil(len(followers) * share / 100) - len(done)
        if wanted > 0:
            return list(free[:wanted]), number, len(shares) + 1
    return list(free), len(shares) + 1, len(shares) + 1


def _windows(instances: Sequence[Instance], since: str) -> tuple[str, ...]:
    return tuple(f"{i.tenant.name}: {next_window(i, since)}" for i in instances)


# --- back


@dataclass(frozen=True, slots=True)
class WayBack:
    """What of a rollout can be taken back by an edit, and what can't."""

    channel: str
    edits: tuple[str, ...]
    taken_back: tuple[str, ...]
    migrated: tuple[Instance, ...]
    """Production instances whose databases the release has migrated, or may have."""
    release: str


def way_back(before: Inputs | None, after: Inputs, channel_name: str) -> WayBack:
    """How a rollout is taken back. `before` is the state that is merged; without it, everything may have been applied.

    Raises UsageError when the channel has no rollout.
    """
    channel = after.fleet.find(Channel, channel_name)
    if channel is None:
        raise UsageError(
            f"there is no channel '{channel_name}'", choices(channel_name, after.fleet.all(Channel), "channels")
        )
    rollout = channel.rollout
    if rollout is None:
        raise UsageError(
            f"channel '{channel.name}' has no rollout",
            "a promotion that is complete has migrated every database: build a new release with the fix, and promote that",
        )
    earlier = before.fleet.find(Channel, channel_name) if before else channel
    merged = (
        set(earlier.rollout.tenants)
        if earlier and earlier.rollout and earlier.rollout.release == rollout.release
        else set()
    )
    stays = [name for name in rollout.tenants if name in merged]
    back = tuple(name for name in rollout.tenants if name not in merged)
    value = json.dumps({"release": rollout.release, "tenants": stays})
    edits = () if not back else (f"spec.rollout={value}",) if stays else ("spec.rollout-",)
    migrated = tuple(after.resolution.instances[f"{name}-production"] for name in stays)
    return WayBack(channel.name, edits, back, migrated, rollout.release)
