"""Packs and tenants joined: the stricter value wins, in whatever order they are named."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.policy.egress import decide
from gateway.policy.fields import Mask
from gateway.policy.merge import effective
from gateway.policy.model import PackFile, TenantFile, TenantPolicy
from gateway.policy.regions import ancestors
from gateway.values import DataCategory, Hop
from tests.policy.samples import ask, with_entry


def joined(tenant: dict[str, object], *packs: dict[str, object]) -> TenantPolicy:
    read = [PackFile.model_validate({"pack": f"p{index}", "title": "x", **pack}) for index, pack in enumerate(packs)]
    return effective(TenantFile.model_validate({"tenant": "acme", **tenant}), read)


@pytest.mark.parametrize(
    ("key", "tenant", "pack", "result"),
    [
        ("regions", ["eu", "us"], ["eea"], ("eu",)),
        ("regions", ["eu"], ["de", "us"], ("de",)),
        ("regions", ["us"], ["eu"], ()),
        ("regions", ["de", "eu"], None, ("eu",)),
        ("origins", ["us"], ["eu"], ("eu", "us")),
        ("tls", "1.2", "1.3", "1.3"),
        ("tls", "1.3", "1.2", "1.3"),
        ("tls", "1.3", None, "1.3"),
        ("training", "permitted", "opt-out", "opt-out"),
        ("training", "prohibited", "permitted", "prohibited"),
        ("purposes", ["conversation", "quality"], ["conversation"], ("conversation",)),
        ("notice_days", 10, 30, 30),
    ],
)
def test_the_stricter_value_wins(key: str, tenant: object, pack: object, result: object) -> None:
    policy = joined({key: tenant}, {key: pack} if pack is not None else {})
    assert getattr(policy, key) == result


@pytest.mark.parametrize(
    ("tenant", "pack", "result"),
    [(None, None, "pass"), ("mask", None, "mask"), ("pass", "mask", "mask"), ("drop", "mask", "drop"), (None, "drop", "drop")],
)
def test_the_stricter_rule_for_made_up_data_wins_and_without_a_word_answers_pass(
    tenant: str | None, pack: str | None, result: str
) -> None:
    said: list[dict[str, object]] = [{} if rule is None else {"answers": {"unknown": rule}} for rule in (tenant, pack)]
    assert joined(said[0], said[1]).answers.unknown == result


def test_only_the_tenant_says_whether_it_is_told_of_changes() -> None:
    """Without a word it is not; a pack cannot ask for it."""
    assert not joined({}).notify_policy_changes
    assert joined({"notify_policy_changes": True}).notify_policy_changes
    with pytest.raises(ValidationError):
        joined({}, {"notify_policy_changes": True})
    with pytest.raises(ValidationError):
        joined({"notify_policy_changes": "yes"})


def test_the_shortest_retention_wins_class_by_class() -> None:
    policy = joined({"retention": {"audio": "30d", "metadata": "7d"}}, {"retention": {"audio": "24h", "traces": "1d"}})
    stated = {"audio": "1d", "metadata": "7d", "traces": "1d"}
    usual = {"transcript": "0s", "vault": "4h", "contact": "20d", "consent": "1461d", "evidence": "2192d"}
    assert policy.retention.model_dump() == {**stated, **usual}


def test_the_stricter_mask_wins_kind_by_kind_and_a_default_counts_for_every_kind() -> None:
    policy = joined(
        {"masking": {"default": "keep", "CVV": "last4"}}, {"masking": {"default": "pseudonym", "CREDIT_CARD": "drop"}}
    )
    assert policy.masking_for("PERSON") is Mask.PSEUDONYM
    assert policy.masking_for("CVV") is Mask.PSEUDONYM
    assert policy.masking_for("CREDIT_CARD") is Mask.DROP


def test_a_kind_that_only_one_file_names_keeps_its_mask_where_the_others_have_no_default() -> None:
    policy = joined({"masking": {"PERSON": "keep"}}, {"masking": {"CVV": "drop"}})
    assert policy.masking_for("PERSON") is Mask.KEEP
    assert policy.masking_for("CVV") is Mask.DROP
    assert policy.masking_for("PHONE_NUMBER") is Mask.PSEUDONYM


def test_announcements_of_all_are_required_and_each_says_who_asks_for_it() -> None:
    notice = {"id": "notice", "text": "Hello.", "asset": "hello.wav"}
    other = {"id": "other", "text": "Also.", "asset": "also.wav"}
    policy = joined({"announcements": [other, {**notice, "text": "Psst."}]}, {"announcements": [notice]})
    assert [(a.id, a.rule, a.text) for a in policy.announcements] == [
        ("notice", "pack:p0", "Hello."),
        ("other", "tenant:acme", "Also."),
    ]


@pytest.mark.parametrize("kind", ["CVV", "default"])
def test_a_pack_takes_nothing_from_what_a_stand_in_means_for_payment_data(kind: str) -> None:
    """``surrogate`` drops a card's code; a pack that asks for its kind only does not bring it back as a placeholder."""
    tenant: dict[str, object] = {"masking": {kind: "surrogate"}}
    assert joined(tenant).masking_for("CVV") is Mask.DROP
    assert joined(tenant, {"masking": {"default": "category"}}).masking_for("CVV") is Mask.DROP
    assert joined(tenant, {"masking": {"default": {"llm": "category"}}}).masking_for("CVV", Hop.LLM) is Mask.DROP


PLACES = st.lists(st.sampled_from(["eu", "eea", "de", "us", "in", "in/ap-south-1", "local"]), max_size=3)
MASKS = st.sampled_from(list(Mask))
REGIONS = (
    st.none()
    | PLACES
    | st.fixed_dictionaries({"default": PLACES}, optional={"llm": PLACES, "masked_transcript": PLACES, "voice": PLACES})
)
PACKS = st.fixed_dictionaries(
    {},
    optional={
        "regions": REGIONS,
        "training": st.sampled_from(["prohibited", "opt-out", "permitted"]),
        "purposes": st.lists(st.sampled_from(["conversation", "quality"]), max_size=2),
        "notice_days": st.integers(0, 60),
        "masking": st.dictionaries(
            st.sampled_from(["default", "CVV", "PERSON"]),
            MASKS | st.fixed_dictionaries({"default": MASKS}, optional={"llm": MASKS}),
            max_size=3,
        ),
        "processor_retention": st.sampled_from(["0s", "30d", "90d"]),
        "sensitive": st.dictionaries(
            st.sampled_from(["health", "payment"]), st.lists(st.sampled_from(["eu-llm", "eu", "local"]), max_size=2), max_size=2
        ),
        "notice_business_days": st.integers(0, 20),
        "breach_hours": st.integers(1, 72),
        "disclose": st.lists(st.sampled_from(["ai", "privacy"]), max_size=2),
        "origins": st.lists(st.sampled_from(["eu", "us", "gb"]), max_size=2),
    },
)


def masking_of(layer: dict[str, object]) -> dict[str, object]:
    masking = layer.get("masking")
    return masking if isinstance(masking, dict) else {}


def test_a_pack_with_fewer_regions_asks_for_no_fewer_mechanisms() -> None:
    """The callers' law does not change because their data may go to fewer places."""
    tenant: dict[str, object] = {"regions": ["in", "us", "eea"], "route": {"llm": [{"processor": "eu-llm"}]}}
    alone, packed = joined(tenant), joined(tenant, {"regions": ["de", "eu"]})
    registry = with_entry(region="de", training="permitted", mechanism={})
    question = ask(categories=frozenset({DataCategory.MASKED_TRANSCRIPT}), origin="")
    assert decide(alone, registry, question).grant is None
    assert decide(packed, registry, question).grant is None
    assert alone.presumed_origins == ("eea", "in", "us")


@given(tenant=PACKS, packs=st.lists(PACKS, max_size=3))
def test_the_order_of_packs_does_not_matter(tenant: dict[str, object], packs: list[dict[str, object]]) -> None:
    read = [PackFile.model_validate({"pack": f"p{index}", "title": "x", **pack}) for index, pack in enumerate(packs)]
    written = TenantFile.model_validate({"tenant": "acme", **tenant})
    digests = {effective(written, order).digest for order in itertools.permutations(read)}
    assert len(digests) == 1


@given(
    tenant=PACKS,
    packs=st.lists(PACKS, max_size=2),
    pack=PACKS,
    region=st.sampled_from(["eu", "de", "us", "in/ap-south-1"]),
    training=st.sampled_from(["prohibited", "opt-out", "permitted"]),
    purpose=st.sampled_from(["conversation", "quality"]),
    origin=st.sampled_from(["", "eu", "us"]),
    retention=st.sampled_from([0, 30, 60]),
    about=st.frozensets(st.sampled_from([DataCategory.HEALTH, DataCategory.PAYMENT])),
)
def test_one_more_pack_never_permits_more(
    tenant: dict[str, object],
    packs: list[dict[str, object]],
    pack: dict[str, object],
    region: str,
    training: str,
    purpose: str,
    origin: str,
    retention: int,
    about: frozenset[DataCategory],
) -> None:
    """It may state what nobody stated before; compared are policies that state the same keys.

    The processor may receive every kind of data: a stricter mask sends less, and so less needs to be permitted.
    """
    stated = {key: value for key, value in pack.items() if key in tenant and value is not None and tenant[key] is not None}
    route = {"route": {"llm": [{"processor": "eu-llm"}]}}
    before, after = joined({**tenant, **route}, *packs), joined({**tenant, **route}, *packs, stated)
    registry = with_entry(
        region=region, training=training, mechanism={"eu": "scc-module-2"}, retention_days=retention, receives=list(DataCategory)
    )
    question = ask(categories=frozenset({DataCategory.MASKED_TRANSCRIPT}), purpose=purpose, origin=origin, about=about)

    if decide(after, registry, question).grant is not None:
        assert decide(before, registry, question).grant is not None
    assert all(not ancestors(region).isdisjoint(before.regions) for region in after.regions)
    said = {kind for layer in (tenant, *packs) for kind in masking_of(layer)}
    for kind in ("PERSON", "CVV", "OTHER"):
        if "masking" in stated and {kind, "default"} & said:
            assert after.masking_for(kind).laxity <= before.masking_for(kind).laxity
