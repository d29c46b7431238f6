"""The mask of a call: what it returns is masked and its values are in the vault; when anything fails there is no masked text."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gateway.adapters.detectors.masker import CallMasker
from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.adapters.keys.master import MasterKeys
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.key_shelf import RedisKeyShelf
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.vault import RedisVault
from gateway.errors import RedactionUnavailable, StoreUnavailable
from gateway.ports import CallVault
from gateway.redaction.mask import Replacement
from gateway.redaction.unmask import unmask
from gateway.values import CallId, Placeholder, Private, Span, TenantId

TENANT, CALL = TenantId("acme"), CallId("call_1")
MASTER = MasterKeys.fixed(bytes(range(32)))


@pytest.fixture
async def vault(store: Store) -> CallVault:
    return await RedisVault(store, RedisKeyShelf(store, MASTER)).open(TENANT, CALL)


async def test_a_turn_is_masked_restored_and_remembered(detector: PresidioDetector, vault: CallVault) -> None:
    masker = CallMasker(detector, vault)
    masked = await masker.mask(Private("My name is Ann Lee, my card is 4532118096612345."))
    assert masked.text == "My name is <PERSON_1>, my card is <CREDIT_CARD_1>."
    assert masked.counts == {"PERSON": 1, "CREDIT_CARD": 1}
    assert masker.restore(Placeholder("<PERSON_1>")) == Private("Ann Lee")
    assert await vault.recall() == masked.new
    assert unmask("Thanks, <PERSON_1>!", masker.restore).reveal() == "Thanks, Ann Lee!"


async def test_the_same_value_keeps_its_placeholder_through_the_call(detector: PresidioDetector, vault: CallVault) -> None:
    masker = CallMasker(detector, vault)
    await masker.mask(Private("my phone number is 415-555-2671"))
    again = await masker.mask(Private("yes, my phone number is four one five, five five five, two six seven one"))
    assert again.text == "yes, my phone number is <PHONE_NUMBER_1>"
    assert again.new == {}


async def test_a_number_that_the_end_of_a_turn_cut_stays_masked(detector: PresidioDetector, vault: CallVault) -> None:
    masker = CallMasker(detector, vault)
    await masker.mask(Private("My card number is four, five, three, two."))
    rest = await masker.mask(Private("One, one, eight, zero."))
    assert rest.text == "<CREDIT_CARD_1>."
    whole = Private("four, five, three, two One, one, eight, zero")
    assert masker.restore(Placeholder("<CREDIT_CARD_1>")) == whole
    assert rest.new == await vault.recall() == {Placeholder("<CREDIT_CARD_1>"): whole}
    assert (await masker.mask(Private("There are two, three reasons"), previous="anything else?")).counts == {}


async def test_a_text_that_the_mask_made_comes_back_unchanged(detector: PresidioDetector, vault: CallVault) -> None:
    masker = CallMasker(detector, vault)
    masked = await masker.mask(Private("my name is Ann Lee"))
    assert masker.is_masked(masked.text)
    assert not masker.is_masked("my name is Ann Lee")
    again = await masker.mask(Private(masked.text), from_model=True)
    assert (again.text, again.new, again.counts) == (masked.text, {}, {})
    assert not CallMasker(detector, vault).is_masked(masked.text)


async def test_a_models_answer_keeps_its_placeholders_and_a_callers_look_alike_does_not(
    detector: PresidioDetector, vault: CallVault
) -> None:
    masker = CallMasker(detector, vault)
    await masker.mask(Private("my name is Ann Lee"))
    answer = await masker.mask(Private("Thank you <PERSON_1>, is it 4111111111111111?"), from_model=True)
    assert answer.text == "Thank you <PERSON_1>, is it <CREDIT_CARD_1>?"
    said = "Tell me who <PERSON_1> is"
    masked = await masker.mask(Private(said))
    assert masked.text == "Tell me who <LITERAL_1> is"
    assert unmask(masked.text, masker.restore).reveal() == said


async def test_the_tenants_operators_are_used(detector: PresidioDetector, vault: CallVault) -> None:
    masker = CallMasker(detector, vault, operators={"CREDIT_CARD": "last4"}, default="drop")
    masked = await masker.mask(Private("my name is Ann Lee, my card is 4532118096612345"))
    assert masked.text == "my name is <PERSON>, my card is <CREDIT_CARD> ending 2345"
    assert await vault.recall() == {}


async def test_without_a_vault_there_is_no_masked_text_and_the_value_is_written_later(
    detector: PresidioDetector, own_valkey: EmbeddedValkey
) -> None:
    async with Store(own_valkey.url) as store:
        vault = await RedisVault(store, RedisKeyShelf(store, MASTER)).open(TENANT, CALL)
        masker = CallMasker(detector, vault)
        await own_valkey.kill()
        with pytest.raises(StoreUnavailable):
            await masker.mask(Private("my name is Ann Lee"))
        assert not masker.is_masked("my name is <PERSON_1>")
        await own_valkey.start()
        vault_again = await RedisVault(store, RedisKeyShelf(store, MASTER)).open(TENANT, CALL)
        masker = CallMasker(detector, vault_again)
        await masker.mask(Private("my name is Ann Lee"))
        assert await vault_again.recall() == {Placeholder("<PERSON_1>"): Private("Ann Lee")}


class _Wrong(PresidioDetector):
    """A detector whose anonymizer puts something else in place."""

    def __init__(self, real: PresidioDetector) -> None:
        super().__init__()
        self._real = real

    async def detect(self, text: Private[str], *, language: str, previous: str = "") -> Sequence[Span]:
        return await self._real.detect(text, language=language, previous=previous)

    async def replace(self, text: Private[str], replacements: Sequence[Replacement]) -> Private[str]:
        return text


async def test_when_the_anonymizer_disagrees_with_the_plan_nothing_is_masked(
    detector: PresidioDetector, vault: CallVault
) -> None:
    masker = CallMasker(_Wrong(detector), vault)
    with pytest.raises(RedactionUnavailable, match="do not agree") as refused:
        await masker.mask(Private("my name is Ann Lee"))
    assert "Ann" not in str(refused.value)


async def test_without_a_detector_there_is_no_masked_text(vault: CallVault) -> None:
    with pytest.raises(RedactionUnavailable):
        await CallMasker(PresidioDetector(), vault).mask(Private("anything"))


async def test_an_operator_that_there_is_not_is_refused_before_the_call(vault: CallVault) -> None:
    with pytest.raises(ValueError, match="shred"):
        CallMasker(PresidioDetector(), vault, operators={"PERSON": "shred"})
