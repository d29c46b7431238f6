"""``sordino policy lint``, ``test``, ``diff``, and ``explain`` for past calls, as a person at a terminal sees them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.adapters.keys.signing import SigningKey
from gateway.adapters.stores.policy_folder import PolicyFolder, shipped_policies
from gateway.cli.main import main
from gateway.cli.policy_receipts import asked_in_receipts
from gateway.evidence.chain import genesis, seal
from gateway.evidence.entries import Draft, Entry, Json
from gateway.evidence.facts import hop_body, refused_body
from gateway.evidence.receipt import build
from gateway.policy.explain import question
from gateway.policy.jurisdiction import jurisdiction, locate
from gateway.values import CallId, Hop, Private, TenantId

Run = Callable[..., tuple[int, str]]
TODAY = datetime.now(UTC)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SORDINO_DATA", str(tmp_path / "data"))
    return Path(shutil.copytree(shipped_policies(), tmp_path / "policies"))


@pytest.fixture
def sordino(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str | Path) -> tuple[int, str]:
        code = main(["policy", *map(str, words)])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def receipt(folder: Path, tmp_path: Path) -> Path:
    """The receipt of a call of the demo tenant, an hour ago, under the policy of ``folder``."""
    policies = PolicyFolder.open(folder).policies
    tenant, call, at = TenantId("demo"), CallId("call_past"), TODAY - timedelta(hours=1)
    entries: list[Entry] = []

    def write(kind: str, body: Mapping[str, Json]) -> None:
        last = entries[-1].hash if entries else genesis(tenant, call)
        previous = entries[-1].hash if entries else genesis(tenant)
        draft = Draft(tenant=tenant, call=call, kind=kind, at=at, body=body, call_previous=last)
        entries.append(seal(draft, seq=len(entries) + 1, previous=previous, durable="memory"))

    policy = policies.tenant("demo")
    law = jurisdiction(locate(Private("+442071838750")), locate(Private("+12125550100"))).record()
    digests = {"policy_digest": policy.digest, "registry_digest": policies.registry.digest}
    write("call.started", {**digests, "jurisdiction": law})
    decision = policies.decide(question(policy, Hop.LLM, at=at))
    assert decision.grant is not None
    write("hop", hop_body(decision.grant, decision.verdicts))
    write("refused", refused_body("storage", ("the tenant's route names nobody for storage",)))
    write("call.ended", {"outcome": "completed", "duration_ms": 1000})
    key = SigningKey.from_file(tmp_path / "signing.key", create=True)
    path = tmp_path / "data" / "receipts" / "demo" / "call_past.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(build(entries, sign=key.sign, public_key=key.public_key).to_json())
    return path


class TestCheck:
    def test_shows_the_line_with_a_caret_below_the_place(self, folder: Path, sordino: Run) -> None:
        change(folder / "tenants" / "demo.yaml", "training: prohibited", "training: prohibitted")
        code, said = sordino("check", "--policies", folder)
        assert code == 1
        lines = said.split("\n")
        at = next(index for index, line in enumerate(lines) if "training: prohibitted" in line)
        assert lines[at].index("prohibitted") == lines[at + 1].index("^")
        assert "did you mean `prohibited`?" in lines[at + 2]

    def test_a_line_that_may_hold_a_secret_is_not_shown(self, folder: Path, sordino: Run) -> None:
        change(folder / "tenants" / "demo.yaml", "auth_token: TWILIO_AUTH_TOKEN", "auth_token: 8f3a9c0d")
        code, said = sordino("check", "--policies", folder)
        assert code == 1
        assert "this is not the name of a secret" in said
        assert "8f3a9c0d" not in said

    def test_misspelt_names_are_shown_together_with_other_faults_of_the_file(self, folder: Path, sordino: Run) -> None:
        demo = folder / "tenants" / "demo.yaml"
        change(demo, "extends: []", "extends: [hippa]")
        change(demo, "regions: [local]", "regions: [locale]")
        change(demo, "processor: mistral", "processor: mistrel")
        _, said = sordino("check", "--policies", folder)
        assert all(f"did you mean `{name}`?" in said for name in ("hipaa", "local", "mistral"))

    def test_a_very_long_line_is_shown_around_the_place(self, folder: Path, sordino: Run) -> None:
        file = folder / "tenants" / "demo.yaml"
        file.write_text(file.read_text(encoding="utf-8") + f"masking_: {{a: '{'x' * 5000}'}}\n# end \x1b[31m\n", encoding="utf-8")
        code, said = sordino("check", "--policies", folder)
        assert code == 1
        assert max(map(len, said.split("\n"))) < 400
        assert "\x1b" not in said


class TestLint:
    def test_says_what_and_where_and_how_to_mend_it(self, folder: Path, sordino: Run) -> None:
        change(folder / "tenants" / "demo.yaml", "This call is not recorded.", "We never share your data with anybody.")
        code, said = sordino("lint", "--policies", folder)
        assert code == 1
        assert "error [never-shared]" in said
        assert "say with whom it is shared" in said

    def test_notes_alone_are_good(self, folder: Path, sordino: Run) -> None:
        demo = folder / "tenants" / "demo.yaml"
        change(
            demo,
            "    - {processor: openai-global, model: gpt-4o-mini}\n    - {processor: mistral, model: mistral-small-latest}\n",
            "",
        )
        code, said = sordino("lint", "--policies", folder)
        assert code == 0
        assert "0 error(s), 0 warning(s)" in said

    def test_speaks_json_and_never_the_secret(self, folder: Path, sordino: Run) -> None:
        demo = folder / "tenants" / "demo.yaml"
        demo.write_text(demo.read_text(encoding="utf-8") + "# AKIA" + "IOSFODNN7EXAMPLE\n", encoding="utf-8")
        for form in ("json", "text"):
            code, said = sordino("lint", "--policies", folder, "--format", form)
            assert code == 1
            assert "this looks like an AWS access key" in said
            assert "AKIA" not in said
        found = json.loads(sordino("lint", "--policies", folder, "--format", "json")[1])
        assert {"severity", "rule", "file", "line", "column", "message", "hint"} == set(found["findings"][0])

    def test_of_faulty_files_shows_the_faults(self, folder: Path, sordino: Run) -> None:
        change(folder / "tenants" / "demo.yaml", "training: prohibited", "trainig: prohibited")
        code, said = sordino("lint", "--policies", folder)
        assert code == 1
        assert "unknown key `trainig`" in said


class TestTest:
    def test_the_shipped_suites_pass_and_hear_every_rule_say_yes_and_no(self, sordino: Run) -> None:
        code, said = sordino("test", "--policies", shipped_policies(), "--covered", "--format", "json")
        answer = json.loads(said)
        assert [row for row in answer["rows"] if not row["passed"]] == []
        assert [each for each in answer["coverage"] if not (each["yes"] and each["no"])] == []
        assert code == 0

    def test_a_row_that_fails_shows_its_place_and_the_difference(self, folder: Path, sordino: Run) -> None:
        change(folder / "tenants" / "demo.yaml", "processor: local-demo-llm", "processor: local-llm")
        code, said = sordino("test", "--policies", folder)
        assert code == 1
        assert "llm: expected local-demo-llm, got local-llm" in said
        assert f"{folder}/tests/demo.yaml:" in said

    def test_a_rule_that_no_row_heard_refuse_is_named(self, folder: Path, sordino: Run) -> None:
        (folder / "tests" / "rules.yaml").unlink()
        code, said = sordino("test", "--policies", folder, "--covered")
        assert code == 1
        assert "never heard to say no" in said

    def test_whose_rows_all_pass_is_told_what_they_cover_and_need_not_cover_everything(self, folder: Path, sordino: Run) -> None:
        (folder / "tests" / "rules.yaml").unlink()
        code, said = sordino("test", "--policies", folder)
        assert code == 0
        assert "never heard to say no" in said

    def test_a_tenant_that_is_not_there_is_shown_with_the_one_that_was_meant(self, folder: Path, sordino: Run) -> None:
        change(folder / "tests" / "demo.yaml", "tenant: demo", "tenant: demoo")
        code, said = sordino("test", "--policies", folder, "--format", "json")
        assert code == 1
        assert "there is no tenant `demoo`: did you mean `demo`?" in said

    def test_one_suite_alone_is_not_asked_for_coverage(self, folder: Path, sordino: Run) -> None:
        code, said = sordino("test", "--policies", folder, "--suite", "pci", "--all")
        assert code == 0
        assert "card number, code, expiry and PIN become nothing at all" in said
        assert "never heard" not in said

    def test_a_suite_that_is_not_there_is_wrong_usage(self, folder: Path, sordino: Run) -> None:
        assert sordino("test", "--policies", folder, "--suite", "nothing")[0] == 2

    def test_a_fault_in_a_suite_has_its_place(self, folder: Path, sordino: Run) -> None:
        change(folder / "tests" / "pci.yaml", "calls:", "cals:")
        code, said = sordino("test", "--policies", folder)
        assert code == 1
        assert "did you mean `calls`?" in said
        assert " | cals:" in said


class TestDiff:
    def test_two_folders_that_say_the_same_decide_the_same(self, folder: Path, receipt: Path, sordino: Run) -> None:
        code, said = sordino("diff", shipped_policies(), folder)
        assert code == 0
        assert "0 change(s)" in said
        assert "2 question(s) of real calls" in said

    def test_shows_rows_and_real_calls_that_would_be_decided_otherwise(self, folder: Path, receipt: Path, sordino: Run) -> None:
        change(folder / "tenants" / "demo.yaml", "processor: local-demo-llm", "processor: local-llm")
        code, said = sordino("diff", shipped_policies(), folder, "--format", "json")
        assert code == 1
        changes = {each["what"]: (each["before"], each["after"]) for each in json.loads(said)["changes"]}
        row = "demo: a caller from Germany is served the same way: llm"
        assert changes[row] == ("local-demo-llm", "local-llm")
        [call] = [what for what in changes if what.startswith("call call_past of demo, llm at ")]
        assert changes[call] == ("local-demo-llm (local)", "local-llm (local)")

    def test_a_real_call_is_asked_again_under_the_laws_of_both_ends(self, folder: Path, receipt: Path, sordino: Run) -> None:
        [asked, _] = asked_in_receipts(receipt.parent, since=TODAY - timedelta(days=1))
        assert (asked.origins, asked.placed) == (("gb", "us"), True)

    def test_calls_of_longer_ago_do_not_count(self, folder: Path, receipt: Path, sordino: Run) -> None:
        assert "0 question(s)" in sordino("diff", shipped_policies(), folder, "--days", "0")[1]

    def test_questions_may_come_from_a_file(self, folder: Path, tmp_path: Path, sordino: Run) -> None:
        asks = tmp_path / "asks.jsonl"
        asks.write_text('{"tenant": "demo", "hop": "tts", "at": "2026-11-21T12:00:00Z"}\n', encoding="utf-8")
        (folder / "tenants" / "demo.yaml").unlink()
        code, said = sordino("diff", shipped_policies(), folder, "--asks", asks)
        assert code == 1
        assert "no policy for this tenant" in said

    def test_a_line_that_is_no_question_is_named(self, folder: Path, tmp_path: Path, sordino: Run) -> None:
        asks = tmp_path / "asks.jsonl"
        asks.write_text('{"tenant": "demo", "hop": "ear", "at": "2026-11-21T12:00:00Z"}\n', encoding="utf-8")
        code, said = sordino("diff", folder, folder, "--asks", asks)
        assert code == 2
        assert f"{asks}:1: hop" in said


class TestExplain:
    def test_shows_both_ends_and_why(self, folder: Path, sordino: Run) -> None:
        code, said = sordino("explain", "--policies", folder, "--caller", "+4930901820", "--callee", "+14155550100")
        assert code == 0
        assert "caller: its number belongs to de" in said
        assert "called: its area code belongs to us/ca" in said
        assert "the stricter end wins" in said
        assert "under the law of de, us" in said

    def test_a_turn_about_payment_is_another_question(self, folder: Path, sordino: Run) -> None:
        change(
            folder / "tenants" / "demo.yaml",
            "training: prohibited\n",
            "training: prohibited\nsensitive: {payment: [local-llm]}\n",
        )
        code, said = sordino("explain", "--policies", folder, "--hop", "llm", "--about", "payment")
        assert code == 1
        assert "no  local-demo-llm: the turn is about payment, and that goes only to local-llm [sensitive]" in said
        assert "to change [sensitive]: " in said

    @pytest.mark.parametrize("number", ["4930901820", "+49", "sip:alice", "+49 30 901 x"])
    def test_what_is_no_number_is_wrong_usage_and_is_not_repeated(self, folder: Path, sordino: Run, number: str) -> None:
        code, said = sordino("explain", "--policies", folder, "--caller", number)
        assert code == 2
        assert "E.164" in said
        assert number not in said

    def test_a_past_call_from_its_receipt(self, folder: Path, receipt: Path, sordino: Run) -> None:
        code, said = sordino("explain", "--policies", folder, "--receipt", receipt)
        assert code == 0
        assert "caller: its number belongs to gb" in said
        assert "yes local-demo-llm in local, transfer mechanism none-needed" in said
        assert "no  mistral: there is no data processing agreement with it" in said
        assert "the policy and the sub-processors are still the same" in said

    def test_a_past_call_that_would_go_otherwise_today(self, folder: Path, receipt: Path, sordino: Run) -> None:
        change(folder / "tenants" / "demo.yaml", "processor: local-demo-llm", "processor: local-llm")
        _, said = sordino("explain", "--policies", folder, "--receipt", receipt)
        assert "today it would decide otherwise" in said
        assert "llm: local-demo-llm then, local-llm (local) now" in said

    def test_a_receipt_that_was_changed_is_refused(self, folder: Path, receipt: Path, sordino: Run) -> None:
        change(receipt, '"mistral"', '"other"')
        code, said = sordino("explain", "--policies", folder, "--receipt", receipt)
        assert code == 2
        assert "not a valid receipt" in said
