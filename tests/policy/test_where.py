"""Where data may go: for everything, for a hop, for a kind of data, and for both at once."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.egress import decide
from gateway.policy.regions import within
from gateway.policy.where import Regions, apart, general
from gateway.values import DataCategory, Hop
from tests.policy.samples import ask, loaded, with_entry

HEADED = "tenant: acme\nroute:\n  llm: [{processor: eu-llm, model: small}]\n"


def allowed(layers: list[Regions], hop: Hop, category: DataCategory) -> tuple[str, ...]:
    return apart(layers).get(f"{hop.value}/{category.value}", general(layers))


@pytest.mark.parametrize(
    ("written", "hop", "category", "places"),
    [
        (["eu"], Hop.LLM, DataCategory.MASKED_TRANSCRIPT, ("eu",)),
        ({"default": ["eu"], "stt": ["de"]}, Hop.STT, DataCategory.VOICE, ("de",)),
        ({"default": ["eu"], "stt": ["de"]}, Hop.LLM, DataCategory.MASKED_TRANSCRIPT, ("eu",)),
        ({"default": ["de"], "masked_transcript": ["eu", "us"]}, Hop.LLM, DataCategory.MASKED_TRANSCRIPT, ("eu", "us")),
        ({"default": ["de"], "masked_transcript": ["eu", "us"]}, Hop.STT, DataCategory.VOICE, ("de",)),
        ({"default": ["eu"], "tts": ["us"], "voice": ["de"]}, Hop.TTS, DataCategory.VOICE, ()),
        ({"default": ["eu"], "llm": ["eu"], "contact": ["de"]}, Hop.LLM, DataCategory.CONTACT, ("de",)),
        ({"stt": ["in/ap-south-1"]}, Hop.LLM, DataCategory.MASKED_TRANSCRIPT, ()),
    ],
)
def test_a_named_hop_or_kind_has_its_own_list(written: object, hop: Hop, category: DataCategory, places: tuple[str, ...]) -> None:
    assert allowed([Regions.model_validate(written)], hop, category) == places


def test_a_policy_is_asked_for_each_kind_of_data_at_its_hop() -> None:
    tenant = HEADED + "regions: {default: [eu], masked_transcript: [de]}\n"
    policy = loaded(tenant).tenant("acme")
    assert policy.regions == ("eu",)
    assert policy.regions_for(Hop.LLM, DataCategory.MASKED_TRANSCRIPT) == ("de",)
    refused = decide(policy, with_entry(region="fr"), ask())
    assert refused.reasons == ("eu-llm: its region fr is not in the tenant's regions for masked_transcript at llm (de)",)
    assert decide(policy, with_entry(region="de"), ask()).grant is not None


def test_the_short_and_the_long_form_are_the_same_policy() -> None:
    assert (
        loaded(HEADED + "regions: [eu]\n").tenant("acme").digest
        == loaded(HEADED + "regions: {default: [eu], llm: [eu], voice: [eu]}\n").tenant("acme").digest
    )


PLACES = st.lists(st.sampled_from(["eu", "de", "us", "in/ap-south-1", "in"]), max_size=2)
LAYERS = st.lists(
    st.fixed_dictionaries({}, optional=dict.fromkeys(("default", "stt", "llm", "voice", "masked_transcript"), PLACES)),
    min_size=1,
    max_size=3,
)


@given(written=LAYERS, hop=st.sampled_from([Hop.STT, Hop.LLM, Hop.TTS]), category=st.sampled_from(list(DataCategory)))
def test_joined_files_allow_what_each_of_them_allows(
    written: list[dict[str, list[str]]], hop: Hop, category: DataCategory
) -> None:
    layers = [Regions.model_validate(each) for each in written]
    limits = [places for layer in layers for places in layer.limits(hop, category)]
    for place in ("de", "fr", "us", "in/ap-south-1", "in/other"):
        expected = bool(limits) and all(within(place, places) for places in limits)
        assert within(place, allowed(layers, hop, category)) is expected


@given(written=LAYERS)
def test_the_order_of_files_does_not_matter(written: list[dict[str, list[str]]]) -> None:
    layers = [Regions.model_validate(each) for each in written]
    orders = itertools.permutations(layers)
    assert len({(general(order), tuple(sorted(apart(order).items()))) for order in orders}) == 1
