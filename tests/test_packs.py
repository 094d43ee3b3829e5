"""Reference packs: what they hold, how they are kept whole, and how several are chosen."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from resistpath import UserError
from resistpath.cli import main
from resistpath.io.fetch.source import parse_source
from resistpath.io.packs import find_pack, read_reference, write_reference
from resistpath.io.resources import catalogue, shipped_packs
from resistpath.mechanisms.summary import difference_sd, pairs, summarise
from resistpath.reference import Reference, build_reference
from resistpath.steps.reference import check, choose, parse_where, show


@pytest.fixture(scope="module")
def small_reference(demo_values, demo_obs):
    few = list(demo_values.columns[:24])
    cells = pd.DataFrame(
        {"quantiseq:treg": np.linspace(0, 0.1, len(demo_obs))}, index=demo_obs.index
    )
    return build_reference("few", "x", demo_values[few], cells.loc[few], demo_obs.loc[few], {})


@pytest.fixture(scope="module")
def made(small_reference):
    statistics = summarise(small_reference, catalogue())
    return replace(small_reference, statistics=statistics)


@pytest.fixture
def pack(made, tmp_path):
    path = tmp_path / "few.npz"
    write_reference(path, made)
    return path


def test_everything_comes_back_as_it_was_written(made, pack):
    back = read_reference(pack)
    pd.testing.assert_frame_equal(back.values, made.values, check_exact=True, check_names=False)
    for name, table in vars(made.statistics).items():
        pd.testing.assert_frame_equal(
            getattr(back.statistics, name), table, check_exact=True, check_names=False
        )
    assert (back.name, back.cancer_type, back.info) == (made.name, made.cancer_type, made.info)


def test_a_pack_is_left_alone_and_never_changed_unless_forced(made, pack):
    before = pack.stat().st_mtime_ns
    digest = write_reference(pack, made)
    assert (pack.stat().st_mtime_ns, digest) == (before, read_reference(pack).digest)
    other = replace(made, cancer_type="another disease")
    with pytest.raises(UserError, match="other contents is already there"):
        write_reference(pack, other)
    assert read_reference(pack).cancer_type == "x"
    assert write_reference(pack, other, force=True) != digest
    assert read_reference(pack).cancer_type == "another disease"


def rewritten(pack, out, change):
    """The pack with some of its entries changed, its stated digest as it was."""
    with zipfile.ZipFile(pack) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return out


DAMAGE = {
    "name changed": (
        lambda n, c: c.replace(b'"few"', b'"fox"') if n == "pack.json" else c,
        "digest",
    ),
    "table missing": (lambda n, c: None if n == "fractions.values.npy" else c, "digest"),
    "matrix missing": (lambda n, c: None if n == "values.bytes.npy" else c, "digest"),
    "page missing": (lambda n, c: None if n == "pack.json" else c, "no pack.json"),
    "page is no JSON": (lambda n, c: b"{" if n == "pack.json" else c, "not a reference pack"),
    "page is a list": (lambda n, c: b"[1]" if n == "pack.json" else c, "not a reference pack"),
    "earlier format": (
        lambda n, c: c.replace(b"reference 2", b"reference 1") if n == "pack.json" else c,
        "format 'resistpath reference 1'",
    ),
    "no array": (lambda n, c: b"x" if n == "values.rows.npy" else c, "not a reference pack"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_pack_is_one_sentence(pack, tmp_path, capsys, name):
    change, said = DAMAGE[name]
    bad = rewritten(pack, tmp_path / "bad.npz", change)
    with pytest.raises(UserError, match=said):
        read_reference(bad)
    assert main(["reference", "check", str(bad)]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "Traceback" not in message


@pytest.mark.parametrize("cut", [10, 2000, -200])
def test_a_pack_cut_short_is_refused(pack, cut):
    pack.write_bytes(pack.read_bytes()[:cut])
    with pytest.raises(UserError, match="not a reference pack"):
        read_reference(pack)


def test_objects_are_never_unpickled(pack, tmp_path):
    trap = tmp_path / "trap.npy"
    np.save(trap, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    bad = rewritten(
        pack, tmp_path / "b.npz", lambda n, c: trap.read_bytes() if n == "values.rows.npy" else c
    )
    with pytest.raises(UserError, match="allow_pickle=False"):
        read_reference(bad)


def outcomes(path):
    return {row["check"]: row["outcome"] for row in check(path)}


def test_check_finds_what_is_wrong(made, pack, tmp_path, capsys):
    # Made here without provenance, so nobody can say which tables it was made with.
    known = {"digest", "shape", "values", "scale", "gene symbols", "catalogue", "readouts", "size"}
    assert set(outcomes(pack)) == known
    assert "failed" not in outcomes(pack).values()
    assert outcomes(pack)["catalogue"] == "warning"

    def written(name, reference):
        write_reference(tmp_path / name, reference)
        return tmp_path / name

    bad = made.values.copy()
    bad.iloc[3, 2] = np.nan
    assert outcomes(written("nan.npz", replace(made, values=bad)))["values"] == "failed"
    assert main(["reference", "check", str(tmp_path / "nan.npz")]) == 2
    named = made.values.rename(index={made.values.index[0]: "NOTAGENE"})
    assert outcomes(written("gene.npz", replace(made, values=named)))["gene symbols"] == "warning"
    half = made.values * np.float32(0.5)
    assert outcomes(written("scale.npz", replace(made, values=half)))["scale"] == "warning"
    few = made.values.columns[:12]
    small = replace(made, values=made.values[few], fractions=made.fractions.loc[few])
    assert outcomes(written("small.npz", small))["size"] == "warning"
    capsys.readouterr()


def test_shipped_packs_are_whole_and_hold_the_demo(demo_values, capsys):
    assert "cptac_ucec" in shipped_packs()
    path = find_pack("cptac_ucec")
    found = outcomes(path)
    wanted = ("digest", "shape", "values", "scale", "gene symbols", "readouts", "size")
    assert {found[c] for c in wanted} == {"ok"}
    back = read_reference(path)
    pd.testing.assert_frame_equal(
        back.values, demo_values[back.values.columns], check_exact=True, check_names=False
    )
    assert back.info["provenance"]["licence"] == "Apache-2.0"
    assert main(["reference", "show", "cptac_ucec"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record == show(path)
    assert record["n_samples"] == len(record["samples"]) == 95


def test_a_stored_readout_that_is_not_what_the_values_give_fails_the_check(tmp_path):
    right = read_reference(find_pack("cptac_ucec"))
    scores = right.statistics.readouts.copy()
    scores.iloc[5, 7] *= 1.001
    wrong = replace(right, statistics=replace(right.statistics, readouts=scores))
    write_reference(tmp_path / "wrong.npz", wrong)
    rows = {row["check"]: row for row in check(tmp_path / "wrong.npz")}
    if rows["catalogue"]["outcome"] == "warning":
        pytest.skip("the shipped pack was made with an earlier catalogue")
    assert rows["readouts"]["outcome"] == "failed"
    assert scores.columns[7] in rows["readouts"]["detail"]


def test_statistics_by_hand(made):
    s, x = made.statistics, made.values.to_numpy(dtype=float)
    np.testing.assert_allclose(s.genes["mean"], x.mean(axis=1), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(s.genes["sd"], x.std(axis=1, ddof=1), rtol=1e-4, atol=1e-6)
    t = s.readouts[catalogue().inflammation]
    fit = stats.linregress(t, s.readouts["HALLMARK_HYPOXIA"])
    line = s.lines.loc["HALLMARK_HYPOXIA"]
    np.testing.assert_allclose([line["slope"], line["intercept"]], fit[:2], rtol=1e-9)
    left = s.readouts["HALLMARK_HYPOXIA"] - fit.intercept - fit.slope * t
    assert line["residual_sd"] == pytest.approx(np.sqrt((left**2).sum() / (len(t) - 2)))
    two = ["HALLMARK_HYPOXIA", "HALLMARK_GLYCOLYSIS"]
    expected = np.corrcoef(s.readouts[two].to_numpy().T)[0, 1]
    assert s.correlation.loc[two[0], two[1]] == pytest.approx(expected, abs=1e-6)
    axis = s.residual_correlation.loc[catalogue().inflammation]
    assert axis.isna().all()


def test_pairs_are_libraries_of_a_biopsy_and_biopsies_of_a_patient():
    obs = pd.DataFrame(
        {
            "patient": ["p1", "p1", "p1", "p2", "p2", "p3", None, None],
            "timepoint": ["pre", "pre", "pre", "on", "on", "pre", "pre", "pre"],
            "biopsy": ["b1", "b1", None, "c", "c", None, None, None],
        },
        index=list("abcdefgh"),
    )
    assert pairs(obs, obs.index) == {"technical": [["a", "b"], ["d", "e"]], "biopsy": [["a", "c"]]}
    assert pairs(obs, [s for s in obs.index if s not in "bc"]) == {
        "technical": [["d", "e"]],
        "biopsy": [],
    }
    assert pairs(obs[["timepoint"]], obs.index) == {"technical": [], "biopsy": []}


def test_noise_is_the_spread_of_differences(made, demo_values):
    scores = pd.DataFrame({"r": [1.0, 3.0, 0.0, 0.5, 2.0, 4.0]}, index=list("abcdef"))
    sd, n = difference_sd(scores, [["a", "b"], ["c", "d"]])
    assert (n, sd["r"]) == (2, pytest.approx(np.sqrt((2**2 + 0.5**2) / 2)))
    sd, n = difference_sd(scores, [["a", "b", "e"]])
    assert (n, sd["r"]) == (2, pytest.approx(np.sqrt(2) * np.std([1, 3, 2], ddof=1)))
    sd, n = difference_sd(scores, [])
    assert n == 0
    assert sd.isna().all()
    one, two = demo_values.columns[:2]
    repeated = {"technical": [], "biopsy": [[one, two]]}
    s = summarise(made, catalogue(), demo_values, made.fractions, repeated)
    gap = s.readouts.loc[one] - s.readouts.loc[two]
    known = gap.notna()
    np.testing.assert_allclose(s.noise["biopsy_sd"][known], gap[known].abs(), rtol=1e-9)
    assert set(s.noise["biopsy_pairs"]) == {1}
    assert s.noise["technical_sd"].isna().all()


def test_samples_are_chosen_by_the_sheet(demo_values, demo_obs):
    cells = pd.DataFrame(index=demo_obs.index)
    where = parse_where(["msi_status=MSI-H", "histology=Endometrioid,Serous"])
    r = build_reference("msi", "x", demo_values, cells, demo_obs, {}, where)
    assert r.n == (demo_obs["msi_status"] == "MSI-H").sum() == 25
    assert "msi_status MSI-H; histology Endometrioid or Serous" in r.info["inclusion"]
    assert set(r.info["left_out"].values()) == {"msi_status is MSS"}
    with pytest.raises(UserError, match="no column 'stages'"):
        build_reference("x", "x", demo_values, cells, demo_obs, {}, {"stages": ["I"]})
    with pytest.raises(UserError, match="no sample can serve"):
        build_reference("x", "x", demo_values, cells, demo_obs, {}, {"stage": ["V"]})
    for word in ("stage", "=I", "stage=", "stage= , "):
        with pytest.raises(UserError, match="is no condition"):
            parse_where([word])
    with pytest.raises(UserError, match="comes twice"):
        parse_where(["stage=I", "stage=II"])


def test_a_fallback_is_taken_only_where_the_user_named_one(made, tmp_path):
    first = made.values.columns[:12]
    small = replace(
        made, name="small", values=made.values[first], fractions=made.fractions.loc[first]
    )
    for name, r in (("few", made), ("small", small)):
        write_reference(tmp_path / f"{name}.npz", r)
    few, little = str(tmp_path / "few.npz"), str(tmp_path / "small.npz")
    assert [c.reference.name for c in choose([little, few], 20)] == ["small", "few"]
    assert [c.stands_in for c in choose([little, few], 20)] == ["", ""]
    taken = choose([f"{little}|{few}"], 20)[0]
    assert taken.reference.name == "few"
    assert taken.path.name == "few.npz"
    assert taken.stands_in == "stands in: small has 12 samples, at least 20 needed"
    assert choose([f"{few}|{little}"], 20)[0].reference.name == "few"
    kept = choose([f"{little}|{few}"], 30)[0]
    assert (kept.reference.name, kept.stands_in) == ("small", "")
    assert [c.reference.name for c in choose([f"{little}|{few}", few], 20)] == ["few"]
    write_reference(tmp_path / "twin.npz", replace(made, cancer_type="y"))
    with pytest.raises(UserError, match="two references are called 'few'"):
        choose([few, tmp_path / "twin.npz"], 20)
    with pytest.raises(UserError, match=r"no reference 'skcm'.*cptac_ucec"):
        choose(["skcm"], 20)


def test_the_recipes_are_cohort_sheets_whose_sources_can_be_read(repository):
    import jsonschema
    import yaml

    from resistpath.io.tables import read_sample_sheet

    folder = repository / "workflow" / "schemas"
    schema = yaml.safe_load((folder / "cohorts.schema.yaml").read_text())
    seen = set()
    for sheet in sorted((repository / "config" / "recipes").glob("*.tsv")):
        rows = pd.read_csv(sheet, sep="\t", dtype=str, comment=None, skiprows=_comments(sheet))
        for row in rows.to_dict("records"):
            row = {k: v for k, v in row.items() if not pd.isna(v)}
            jsonschema.validate(row, schema)
            source = parse_source(row["expression"])
            assert source.site in {"gdc", "geo"}
            assert row["reference"] == "self"
            assert row["cohort"] not in seen
            seen.add(row["cohort"])
            if "samples" in row:
                obs = read_sample_sheet(sheet.parent / row["samples"])
                assert obs["timepoint"].isin(["pre", "on"]).all()
                assert obs["patient"].notna().all()
    assert len(seen) == 35


def _comments(sheet):
    lines = sheet.read_text(encoding="utf-8").splitlines()
    return [i for i, line in enumerate(lines) if line.startswith("#")]


def test_a_reference_without_statistics_can_still_be_written(small_reference, tmp_path):
    plain = Reference("p", "x", small_reference.values, small_reference.fractions)
    write_reference(tmp_path / "p.npz", plain)
    assert read_reference(tmp_path / "p.npz").statistics is None
    assert outcomes(tmp_path / "p.npz")["readouts"] == "failed"
