"""What was signed off is what runs: versions never change, the history only grows, and a changed file is refused."""

import json
import multiprocessing
import stat

import pytest
from bundles import make_bundle

from autotl.errors import StorageError, UsageError
from autotl.production import registry as module
from autotl.production.bundle import CARD, EVIDENCE, EXAMPLES, METRICS, MODEL, open_bundle
from autotl.production.reference import Reference
from autotl.production.registry import BUNDLE, HISTORY, LOCK, VERSION, VERSIONS, Registry, SignOff

AT = "2026-11-28T10:00:00+00:00"


def sign_off(reason="it is good", by="Ada"):
    return SignOff(by, AT, reason, ("accuracy>=0.9 (it is 0.9300)",))


def record(trial=0, **figures):
    return {"source": {"run": "run", "trial": trial}, "figures": {"score": {"value": 0.9}, **figures}, "task": "pets"}


@pytest.fixture
def registry(tmp_path):
    return Registry(tmp_path / "registry")


def add(registry, folder, *, trial=0, alias="production", reason="it is good"):
    bundle = open_bundle(make_bundle(folder / f"bundle-{trial}", model=f"weights of {trial}"))
    return registry.add("pets", bundle, record(trial), alias=alias, sign_off=sign_off(reason))


def files_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def lines(registry):
    return (registry.folder / "pets" / HISTORY).read_text().splitlines()


def test_a_version_holds_the_bundle_and_who_when_why(registry, tmp_path):
    version = add(registry, tmp_path)
    assert (str(version), version.number) == ("pets:1", 1)
    written = json.loads((version.folder / VERSION).read_text())
    assert written["sign_off"] == {"alias": "production", "by": "Ada", "at": AT, "reason": "it is good"} | {
        "gates": ["accuracy>=0.9 (it is 0.9300)"]
    }
    assert set(written["files"]) == {MODEL, METRICS, CARD, "bundle.json", "evidence/calibration.json"}
    assert (version.bundle_folder / MODEL).read_bytes() == (tmp_path / "bundle-0" / MODEL).read_bytes()
    card = (version.bundle_folder / CARD).read_text()
    assert card.startswith("# flowers\n")
    for words in ("pets:1, promoted as production", "By: Ada", f"At: {AT}", "Reason: it is good", "accuracy>=0.9"):
        assert words in card
    assert registry.open(Reference("pets", "production")).classes == ("daisy", "tulip")
    assert registry.open(Reference("pets", version=1)).path == version.bundle_folder


def test_examples_of_the_data_stay_in_the_run_folder(registry, tmp_path):
    folder = make_bundle(tmp_path / "bundle-0", model="weights of 0")
    (folder / EVIDENCE / EXAMPLES).write_text('{"examples": ["a face"]}')
    first = registry.add("pets", open_bundle(folder), record(), alias="staging", sign_off=sign_off())
    assert f"{EVIDENCE}/{EXAMPLES}" not in first.record["files"]
    assert not any(b"a face" in content for content in files_of(registry.folder).values())
    same = registry.add("pets", open_bundle(folder), record(), alias="production", sign_off=sign_off())
    assert same.number == first.number, "what is left behind makes no other model"


def test_the_bundle_in_the_run_folder_stays_as_it_was(registry, tmp_path):
    folder = make_bundle(tmp_path / "bundle-0", model="weights of 0")
    before = files_of(folder)
    add(registry, tmp_path)
    assert files_of(folder) == before


def test_files_of_a_version_are_read_only_and_later_versions_leave_them_alone(registry, tmp_path):
    first = add(registry, tmp_path)
    before = files_of(first.folder)
    second = add(registry, tmp_path, trial=1)
    registry.roll_back("pets", alias="production", to=None, sign_off=sign_off())
    assert second.number == 2
    assert files_of(first.folder) == before
    assert {stat.S_IMODE(path.stat().st_mode) for path in first.folder.rglob("*") if path.is_file()} == {0o444}


def test_the_history_only_grows(registry, tmp_path):
    seen = []
    add(registry, tmp_path)
    seen.append(lines(registry))
    add(registry, tmp_path, trial=1, reason="better")
    seen.append(lines(registry))
    registry.roll_back("pets", alias="production", to=None, sign_off=sign_off("worse in use"))
    seen.append(lines(registry))
    assert [len(each) for each in seen] == [1, 2, 3]
    assert seen[2][:2] == seen[1]
    assert seen[1][:1] == seen[0]
    moves = registry.history("pets")
    assert [(move.event, move.version, move.previous, move.reason) for move in moves] == [
        ("promote", 1, None, "it is good"),
        ("promote", 2, 1, "better"),
        ("rollback", 1, 2, "worse in use"),
    ]


def test_a_second_alias_on_the_same_trial_makes_no_second_version(registry, tmp_path):
    assert add(registry, tmp_path).number == add(registry, tmp_path, alias="staging").number == 1
    assert registry.aliases("pets") == {"production": 1, "staging": 1}


def test_an_alias_that_stands_there_already_is_told_so(registry, tmp_path):
    version = add(registry, tmp_path)
    with pytest.raises(UsageError, match=r"pets@production is version 1 already, by Ada"):
        add(registry, tmp_path)
    with pytest.raises(UsageError, match="is version 1 already"):
        registry.point(version, alias="production", sign_off=sign_off())
    assert len(lines(registry)) == 1


def test_rolling_back_twice_goes_further_back_and_not_to_and_fro(registry, tmp_path):
    for trial in range(3):
        add(registry, tmp_path, trial=trial)
    back = [registry.roll_back("pets", alias="production", to=None, sign_off=sign_off()).number for _ in range(2)]
    assert back == [2, 1]
    with pytest.raises(UsageError, match="has been no other"):
        registry.roll_back("pets", alias="production", to=None, sign_off=sign_off())
    add(registry, tmp_path, trial=5)
    assert registry.aliases("pets") == {"production": 4}
    assert registry.roll_back("pets", alias="production", to=None, sign_off=sign_off()).number == 1


def test_rolling_back_to_a_version_takes_only_one_that_the_alias_was(registry, tmp_path):
    for trial in range(3):
        add(registry, tmp_path, trial=trial)
    add(registry, tmp_path, trial=7, alias="staging")
    for number in (3, 4, 99):
        with pytest.raises(UsageError, match=rf"cannot go back to version {number}: before version 3 it was 1, 2"):
            registry.roll_back("pets", alias="production", to=number, sign_off=sign_off())
    assert registry.roll_back("pets", alias="production", to=1, sign_off=sign_off()).number == 1


def test_what_is_not_there_lists_what_is(registry, tmp_path):
    with pytest.raises(UsageError, match=r"no model 'pets'.*empty.*autotl promote"):
        registry.find(Reference("pets", "production"))
    add(registry, tmp_path)
    with pytest.raises(UsageError, match=r"no model 'pet'\. Allowed: pets\. Did you mean 'pets'\?"):
        registry.find(Reference("pet", "production"))
    with pytest.raises(UsageError, match=r"no alias 'prodution'\. Allowed: production\. Did you mean 'production'\?"):
        registry.find(Reference("pets", "prodution"))
    with pytest.raises(UsageError, match=r"no version 9\. There are: 1\."):
        registry.find(Reference("pets", version=9))


@pytest.mark.parametrize("name", [MODEL, METRICS, CARD, "bundle.json", "evidence/calibration.json"])
def test_a_file_that_was_changed_is_named_and_the_model_refused(registry, tmp_path, name):
    path = add(registry, tmp_path).bundle_folder / name
    path.chmod(0o644)
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(StorageError, match=rf"{path} is not the file that was signed off as pets:1"):
        registry.open(Reference("pets", "production"))


@pytest.mark.parametrize("spoil", ["missing", "added", "added link", "version.json", "no version.json"])
def test_whatever_else_is_wrong_with_a_version_is_named(registry, tmp_path, spoil):
    version = add(registry, tmp_path)
    names = {
        "missing": version.bundle_folder / CARD,
        "added": version.bundle_folder / "extra.pkl",
        "added link": version.bundle_folder / "evidence" / "link",
    }
    path = names.get(spoil, version.folder / VERSION)
    if spoil in ("missing", "no version.json"):
        path.unlink()
    elif spoil == "added":
        path.write_bytes(b"cos\nsystem\n")
    elif spoil == "added link":
        path.symlink_to(tmp_path)
    else:
        path.chmod(0o644)
        path.write_text(path.read_text().replace("it is good", "it is bad!"))
    with pytest.raises(StorageError, match=str(path)):
        registry.open(Reference("pets", "production"))


def test_a_damaged_version_is_not_rolled_back_to_and_the_alias_stays(registry, tmp_path):
    first = add(registry, tmp_path)
    add(registry, tmp_path, trial=1)
    (first.bundle_folder / MODEL).unlink()
    with pytest.raises(StorageError, match=MODEL):
        registry.roll_back("pets", alias="production", to=None, sign_off=sign_off())
    assert registry.aliases("pets") == {"production": 2}
    registry.open(Reference("pets", "production"))


def test_a_damaged_version_can_be_left_by_going_back_or_by_promoting_again(registry, tmp_path):
    add(registry, tmp_path)
    second = add(registry, tmp_path, trial=1)
    (second.folder / VERSION).unlink()
    assert add(registry, tmp_path, trial=1).number == 3
    assert registry.roll_back("pets", alias="production", to=1, sign_off=sign_off()).number == 1


def test_a_version_of_another_schema_is_refused(registry, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SCHEMA", 2)
    add(registry, tmp_path)
    monkeypatch.undo()
    with pytest.raises(StorageError, match="its schema is 2, this one reads 1"):
        registry.find(Reference("pets", "production"))


def test_a_damaged_history_is_named(registry, tmp_path):
    add(registry, tmp_path)
    path = registry.folder / "pets" / HISTORY
    path.write_text(path.read_text()[:-20])
    with pytest.raises(StorageError, match=str(path)):
        registry.aliases("pets")


def test_a_promotion_that_is_cut_off_leaves_nothing_under_a_final_name(registry, tmp_path, monkeypatch):
    add(registry, tmp_path)

    def breaks(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_sign", breaks)
    with pytest.raises(StorageError, match="No space left on device"):
        add(registry, tmp_path, trial=1)
    monkeypatch.undo()
    assert [path.name for path in (registry.folder / "pets" / VERSIONS).iterdir()] == ["1"]
    assert registry.aliases("pets") == {"production": 1}


def test_a_version_that_no_history_tells_of_does_not_exist_and_its_number_is_not_used_again(registry, tmp_path):
    add(registry, tmp_path)
    (registry.folder / "pets" / VERSIONS / "2").mkdir()
    (registry.folder / "pets" / VERSIONS / module.UNFINISHED / BUNDLE).mkdir(parents=True)
    with pytest.raises(UsageError, match="no version 2"):
        registry.find(Reference("pets", version=2))
    assert add(registry, tmp_path, trial=1).number == 3


def test_a_bundle_that_is_not_what_its_own_digests_say_is_not_promoted(registry, tmp_path):
    bundle = open_bundle(make_bundle(tmp_path / "bundle"))
    (tmp_path / "bundle" / MODEL).write_bytes(b"changed after it was opened")
    with pytest.raises(StorageError, match=MODEL):
        registry.add("pets", bundle, record(), alias="production", sign_off=sign_off())
    assert registry.models() == []


def _promote(folder, tmp_path, trial, barrier):
    barrier.wait()
    add(Registry(folder), tmp_path, trial=trial, reason=f"trial {trial}")


def test_people_who_promote_at_once_get_a_version_each(registry, tmp_path):
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(4)
    people = [context.Process(target=_promote, args=(registry.folder, tmp_path, trial, barrier)) for trial in range(4)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert [person.exitcode for person in people] == [0] * 4
    moves = registry.history("pets")
    assert sorted(move.version for move in moves) == [1, 2, 3, 4]
    assert [move.previous for move in moves] == [None, *(move.version for move in moves[:-1])]
    for move in moves:
        version = registry.version("pets", move.version)
        assert f"trial {version.record['source']['trial']}" == move.reason == version.record["sign_off"]["reason"]
        registry.open(Reference("pets", version=move.version))
    assert {path.name for path in (registry.folder / "pets").iterdir()} == {VERSIONS, HISTORY, LOCK}
