"""What is shipped fits together: versions, pins, licences; and nothing names a machine."""

from __future__ import annotations

import csv
import gzip
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]

# Licence families whose tables may be shipped, how a source row may write them, and the name
# NOTICE uses.
FAMILIES = {
    "MIT": r"\bMIT\b",
    "BSD-3-Clause": r"\bBSD\b",
    "Apache-2.0": r"\bApache\b",
    "CC0 1.0": r"\bCC0\b",
    "CC BY 4.0": r"\bCC[ -]BY[ -]4",
    "CC BY 3.0": r"\bCC[ -]BY[ -]3",
    "facts only": r"\bfacts?\b",
}
UNSHIPPABLE = re.compile(r"GPL|non-?commercial|academic|share-?alike|\bNC\b|\bSA\b", re.IGNORECASE)

# Patterns are written so that they do not match their own text.
MACHINE = {
    "a package registry": re.compile(
        r"pypi[.]org|python[h]osted[.]org|anaconda[.]org|npm[j]s[.]org|crates[.]io"
        r"|--(?:extra-)?index-url"
    ),
    "a path of a machine": re.compile(r"(?<![\w.~-])/(?:root|work|home|Users)(?:/|\b)"),
}


def table(path: str) -> list[dict[str, str]]:
    with (ROOT / path).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle, delimiter="\t"))


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def pins() -> dict[str, str]:
    """Blocks of requirements.txt by package name."""
    text = (ROOT / "envs" / "requirements.txt").read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).strip())
    return {re.split(r"[=<>! ;@]", block, maxsplit=1)[0]: block for block in blocks}


def pinned(name: str) -> str:
    found = re.match(r"\S+?==([^\s;]+)", pins()[name])
    assert found, f"envs/requirements.txt: {name} is not pinned with =="
    return found[1]


def test_every_pin_has_hashes_and_no_address():
    blocks = pins()
    assert len(blocks) > 50
    for name, block in blocks.items():
        hashes = re.findall(r"--hash=sha256:[0-9a-f]{64}\b", block)
        assert pinned(name), name
        assert hashes, f"envs/requirements.txt: {name} has no hash"
        assert "://" not in block, f"envs/requirements.txt: {name} names an address"
        assert " @ " not in block, f"envs/requirements.txt: {name} names an address"


def test_pins_satisfy_pyproject():
    meta = project()
    extras = meta["project"]["optional-dependencies"]
    wanted = [
        *meta["project"]["dependencies"],
        *extras["test"],
        *extras["lint"],
        *meta["build-system"]["requires"],
    ]
    for line in wanted:
        need = Requirement(line)
        name = need.name.lower().replace("_", "-")
        assert name in pins(), f"{line} is not in envs/requirements.txt; run `make lock`"
        assert need.specifier.contains(pinned(name), prereleases=True), (
            f"{line}, but envs/requirements.txt pins {pinned(name)}; run `make lock`"
        )


def test_build_inputs_are_not_pinned():
    # They are large and only needed to remake tables of resources/.
    only = {Requirement(d).name for d in project()["project"]["optional-dependencies"]["resources"]}
    assert not only & pins().keys()


def test_conda_environment_has_the_same_versions():
    env = yaml.safe_load((ROOT / "envs" / "python.yaml").read_text(encoding="utf-8"))
    packages = next(d["pip"] for d in env["dependencies"] if isinstance(d, dict))
    named = dict(line.split("==") for line in packages)
    wanted = {Requirement(d).name for d in project()["project"]["dependencies"]} - {"snakemake"}
    assert named.keys() == wanted
    assert named == {name: pinned(name) for name in named}


def test_version_is_the_same_everywhere():
    version = project()["project"]["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    top = re.search(r"^## \[?(\d+\.\d+\.\d+[^\s\]]*)", changelog, flags=re.MULTILINE)
    code = (ROOT / "workflow" / "resistpath" / "provenance.py").read_text(encoding="utf-8")
    in_code = re.search(r'^VERSION = "([^"]+)"', code, flags=re.MULTILINE)
    assert top, "CHANGELOG.md has no entry"
    assert in_code, "provenance.py has no VERSION"
    assert {
        "CITATION.cff": str(citation["version"]),
        "CHANGELOG.md": top[1],
        "provenance.py": in_code[1],
    } == dict.fromkeys(("CITATION.cff", "CHANGELOG.md", "provenance.py"), version)


def test_citation_has_what_the_format_requires():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["license"] == project()["project"]["license"]


@pytest.mark.parametrize(
    ("path", "key"),
    [("resources/sources.tsv", "file"), ("resources/catalogue/signatures.tsv", "signature")],
)
def test_notice_covers_every_licence(path, key):
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    rows = table(path)
    assert rows
    for row in rows:
        licence, where = row["licence"], f"{path}: {row[key]}"
        families = [name for name, how in FAMILIES.items() if re.search(how, licence)]
        assert families, f"{where}: licence {licence!r} belongs to no family known to this test"
        assert not UNSHIPPABLE.search(licence), f"{where}: {licence!r} may not be shipped"
        for family in families:
            assert family in notice, f"{where}: NOTICE does not mention {family}"


def test_notice_names_every_repository_and_package_read():
    notice = re.sub(r"\s+", " ", (ROOT / "NOTICE").read_text(encoding="utf-8"))
    for row in table("resources/catalogue/signatures.tsv"):
        if re.search(FAMILIES["facts only"], row["licence"]):
            continue
        first = row["read_from"].split(";")[0].strip()
        source = re.match(r"[\w.-]+/[\w.-]+(?=@)|[\w.-]+ [\d.]+(?= \(wheel\))", first)
        assert source, f"{row['signature']}: cannot tell the source in {first!r}"
        known = source[0] in notice or "MSigDB" in row["licence"]
        assert known, f"{row['signature']}: NOTICE does not name {source[0]}"


def tracked() -> list[Path]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(  # noqa: S603
        [git, "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip(f"git does not list files: {listed.stderr.strip()}")
    return [p for name in listed.stdout.split("\0") if name and (p := ROOT / name).is_file()]


def test_no_file_names_a_registry_or_a_machine():
    findings = []
    for path in tracked():
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
        if b"\0" in data[:8192]:
            continue
        for number, line in enumerate(data.decode("utf-8").splitlines(), start=1):
            for what, pattern in MACHINE.items():
                if found := pattern.search(line):
                    place = f"{path.relative_to(ROOT)}:{number}"
                    findings.append(f"{place}: names {what}: {found[0]!r}")
    if findings:
        pytest.fail("\n".join(findings), pytrace=False)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("see https://files.python" + "hosted.org/x", "a package registry"),
        ("pip install --index" + "-url https://example.org/simple x", "a package registry"),
        ("expression: /ho" + "me/ann/counts.tsv", "a path of a machine"),
        ("cd /wo" + "rk", "a path of a machine"),
    ],
)
def test_the_patterns_see_what_they_are_for(text, what):
    assert MACHINE[what].search(text)
    assert not any(
        p.search("--no-emit-index" + "-url results/work ~/home") for p in MACHINE.values()
    )


def test_tables_that_benchmarks_read_are_part_of_the_project():
    """A rule of .gitignore once kept one out."""
    listed = subprocess.run(
        ["git", "ls-files", "benchmarks"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("this is no git checkout")
    read = {
        name
        for path in (ROOT / "benchmarks").glob("*.py")
        for name in re.findall(r'HERE / "([^"]+)"', path.read_text(encoding="utf-8"))
        if "." in name
    }
    assert "response_published.tsv" in read
    assert {f"benchmarks/{name}" for name in read} <= set(listed.stdout.split())


def test_wheel_holds_tables_templates_and_licences(tmp_path):
    pytest.importorskip("hatchling")
    subprocess.run(  # noqa: S603
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    package = ROOT / "workflow" / "resistpath"
    wanted = {
        f"resistpath/{p.relative_to(package).as_posix()}"
        for p in package.rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    }
    wanted |= {f"resistpath/_resources/{row['file']}" for row in table("resources/sources.tsv")}
    assert not wanted - names
    assert {name.rsplit("/", 1)[-1] for name in names} >= {"LICENSE", "NOTICE"}
