"""Measure, and print one table: ``python -m bench`` (``make bench``), or one group of it: ``python -m bench standard``.

Needs ``wrk`` for the requests of readers, which stand in the groups ``service``, ``badges`` and ``api``, and Node for the
peer of ``certificates``.

Each figure is the median of several runs; where a peer is measured, both ran in turn in the same process. The goals stand
beside them; they are goals for two cores on a quiet machine.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median

from bench import api, badges, browser, catalogue, certificates, log, operation, register, service, standard
from tests.foreign.judge import FOLDER

RUNS = 3


@dataclass(frozen=True)
class Line:
    """One measured figure."""

    what: str
    value: str
    goal: str
    note: str = ""


def main() -> None:
    unknown = set(sys.argv[1:]) - set(GROUPS)
    if unknown:
        sys.exit(f"There is no group {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}.")
    chosen = [name for name in GROUPS if name in sys.argv[1:] or len(sys.argv) == 1]
    if {"service", "badges", "api"} & set(chosen) and shutil.which("wrk") is None:
        sys.exit("wrk is not on the PATH: install Debian's package wrk, or build it, and run make bench again.")
    if "certificates" in chosen and not (FOLDER / "node_modules").is_dir():
        sys.exit("The packages of tests/foreign/node are missing: run make test-deps, then make bench again.")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; medians of {RUNS} runs or more")
    for name in chosen:
        for line in GROUPS[name]():
            goal = f"goal {line.goal}" if line.goal else ""
            print(f"{line.what:<66}{line.value:>20}   {goal:<19}{line.note}".rstrip(), flush=True)


def log_lines() -> Iterable[Line]:
    ours, peer = medians(lambda: (log.appends_per_s(), log.peer_appends_per_s()))
    yield Line(
        "leaves appended in memory", f"{ours:,.0f}/s", ">= 300,000/s", f"{ours / peer:.0f} x pymerkle's {peer:,.0f}/s"
    )
    tree, peer_tree = log.grown_tree(), log.grown_peer()
    ours, peer = medians(lambda: (log.proof_us(tree), log.peer_proof_us(peer_tree)))
    yield Line(
        f"inclusion proof at {log.LARGE:,} leaves",
        f"{ours:.0f} us",
        "< 50 us",
        f"pymerkle at {log.PEER_LARGE:,}: {peer:,.0f} us",
    )


def operation_lines() -> Iterable[Line]:
    with operation.metrics(together=False) as alone, operation.metrics(together=True) as together:
        bare, counted, shared, made, line = medians(
            lambda: (
                operation.ready_us(None),
                operation.ready_us(alone),
                operation.ready_us(together),
                operation.made_us(alone),
                operation.line_us(),
            )
        )
    yield Line(
        "counting an answer from memory",
        f"{counted - bare:.1f} us",
        "< 2 us",
        f"of {counted:.1f} without the server; {shared - bare:.1f} where workers count together",
    )
    yield Line("counting and writing an answer that was made", f"{made + line:.1f} us", "< 30 us", f"line {line:.1f}")


def standard_lines() -> Iterable[Line]:
    (load,) = medians(lambda: (standard.load_ms(),))
    yield Line("LCAL 1.0.0 loaded and type-checked", f"{load:.0f} ms", "< 300 ms")
    runs = [standard.decision_times() for _ in range(RUNS)]
    parts = {name: median(getattr(run, name) for run in runs) for name in ("footprint", "facts", "rules")}
    yield Line(
        f"footprint and all rules, {standard.ACTIVITIES} activities, one core",
        f"{median(run.decision for run in runs):.2f} ms",
        "< 3 ms",
        ", ".join(f"{name} {value:.2f}" for name, value in parts.items()) + "; the rest comes before the figure",
    )
    with standard.filled_store() as store:
        alone, shared = medians(lambda: (standard.simulated_per_core_s(store), standard.simulated_per_s(store, 2)))
    yield Line(
        f"simulate: {standard.REPORTS:,} reports of {standard.SIZES[0]} to {standard.SIZES[-1]} activities, two processes",
        f"{shared:,.0f}/s",
        ">= 400/s",
        f"one process: {alone:,.0f} in each second of its core",
    )


def certificate_lines() -> Iterable[Line]:
    with certificates.world() as world:
        ours, peer, fresh_peer = medians(
            lambda: (
                certificates.checked_per_s(world.files),
                certificates.peer_per_s(world, world.files),
                certificates.peer_per_s(world, world.files, "fresh"),
            ),
            certificates.ROUNDS,
        )
        badges = world.forms["openbadge"]
        badge, peer_badge, token, compact = medians(
            lambda: (
                certificates.checked_per_s(badges),
                certificates.peer_per_s(world, badges),
                certificates.checked_per_s(world.forms["jwt"]),
                certificates.checked_per_s(world.forms["compact"], "cannot_tell"),
            )
        )
    yield Line("the record verified on every axis, one core", f"{ours:,.0f}/s", ">= 7,000/s")
    yield Line(
        "  beside @digitalbazaar/vc with eddsa-jcs-2022 and remembered lists",
        f"{ours / peer:.2f} x",
        ">= 2.5 x",
        f"its {peer:,.0f}/s; {fresh_peer:,.0f}/s with lists read anew for each, as its own checkStatus does",
    )
    yield Line("  as a token (vc+jwt)", f"{token:,.0f}/s", "")
    yield Line("  as the compact form of a print, without inclusion", f"{compact:,.0f}/s", "")
    yield Line(
        "  as a badge wallet reads it (eddsa-rdfc-2022)",
        f"{badge:,.0f}/s",
        "",
        f"@digitalbazaar/vc {peer_badge:,.0f}/s",
    )


def browser_lines() -> Iterable[Line]:
    for where, host in (("", browser.SECURE), (" without https", browser.INSECURE)):
        after, whole = browser.verdict_ms(host)
        yield Line(
            f"verdict in the reader's browser after load{where}", f"{after:.0f} ms", "< 50 ms", f"{whole:.0f} ms in all"
        )

    waited = browser.listener()
    yield Line(
        "verdict on the listener's page, 150 ms, 1.6 Mbit/s, CPU / 4",
        f"{waited.verdict_ms:,.0f} ms",
        "< 1,000 ms",
        f"first paint {waited.first_paint_ms:,.0f} ms; {waited.bytes / 1000:.1f} KB with headers in {waited.requests} requests",
    )


def service_lines() -> Iterable[Line]:
    runs = [service.run() for _ in range(RUNS)]
    alone = [run.alone_ms for run in runs]
    yield Line("submission to certificate alone, p50 (audio analysed before)", f"{median(alone):.1f} ms", "< 80 ms")
    rate = median(run.issued_per_s for run in runs)
    yield Line("certificates per second, 24 clients, durable, SQLite", f"{rate:.0f}/s", ">= 300/s")
    gets = median(run.gets_per_s for run in runs)
    yield Line(
        "  GETs beside them",
        f"{gets:,.0f}/s",
        ">= 5,000/s",
        f"issued beside GETs: {median(r.issued_beside_gets for r in runs):.0f}/s",
    )
    yield Line("GETs of a certificate alone", f"{median(run.gets_alone for run in runs):,.0f}/s", ">= 9,000/s")


def api_lines() -> Iterable[Line]:
    with api.world() as world:
        resting = api.resident_mb(world.worker)
        for name, bodies in api.questions(world).items():
            rates = [api.posts(world, bodies) for _ in range(RUNS)]
            p99 = median(rate.p99_ms for rate in rates)
            yield _rate_line(f"POST verification, {name}", rates, ">= 3,000/s", f"p99 {p99:.1f} ms, goal < 20 ms")
        singles = api.resident_mb(world.worker)
        alone = median(api.in_process_per_s(world) for _ in range(RUNS))
        for form, ask in (("a batch", api.batch), ("lines", api.stream)):
            for name in ("codes", "files"):
                rates = [ask(world, name) for _ in range(RUNS)]
                share = median(rate.per_core_s for rate in rates) / alone
                yield _rate_line(
                    f"  {name} in {form}", rates, "", f"{share:.0%} of {alone:,.0f}/s in process, goal >= 80 %"
                )
        batches = api.resident_mb(world.worker)
        page = f"/v/{world.rows[0].code}"
        for name, path in (
            ("certificate", f"{page}.vc"),
            ("badge", f"{page}.svg"),
            ("status list", "/status/revocation/1"),
        ):
            yield _rate_line(f"GET of a {name}", [api.gets(world, path) for _ in range(RUNS)], ">= 9,000/s")
        loaded = api.resident_mb(world.worker)
        before = f"{resting:.0f} MB at the start, {singles:.0f} MB after single ones, {batches:.0f} MB after many in one request"
        yield Line("memory of the worker after all that", f"{loaded:.0f} MB", "< 150 MB", before)


def _rate_line(what: str, rates: list[api.Rate], goal: str, note: str = "") -> Line:
    per_core = f"{median(rate.per_core_s for rate in rates):,.0f} in a second of its core"
    return Line(what, f"{median(rate.per_s for rate in rates):,.0f}/s", goal, ", ".join(filter(None, (per_core, note))))


def badge_lines() -> Iterable[Line]:
    for name, svg, png in badges.drawn_ms():
        goals = "< 2 ms; PNG < 60 ms" if name == "square" else ""
        yield Line(f"badge drawn cold: {name}", f"{svg:.1f} ms", goals, f"PNG at scale 2 {png:.0f} ms")
    runs = [badges.reads_per_s() for _ in range(RUNS)]
    for name in runs[0]:
        yield Line(f"GETs of {name}, warm", f"{median(run[name] for run in runs):,.0f}/s", ">= 9,000/s")


def register_lines() -> Iterable[Line]:
    for name, milliseconds in register.search_ms():
        yield Line(
            f"register of {register.LARGE:,}: {name}", f"{milliseconds:.0f} ms", "< 200 ms", "a page and the count"
        )


def catalogue_lines() -> Iterable[Line]:
    hits = f"{catalogue.HITS:.0%}"
    with catalogue.world() as world:
        isrc, code, whole, bare = medians(
            lambda: (
                catalogue.rows_per_s(world),
                catalogue.rows_per_s(world, "code"),
                catalogue.rows_per_s(world, hits=1),
                catalogue.bare_per_s(world),
            )
        )
        one, two = (catalogue.command(world, catalogue.SHORT, processes) for processes in (1, 2))
        large = catalogue.command(world, catalogue.LARGE, 2)
    yield Line(f"catalogue by ISRC, {hits} of the rows have a certificate, one core", f"{isrc:,.0f}/s", ">= 5,000/s")
    yield Line(f"  by code, {hits}", f"{code:,.0f}/s", ">= 5,000/s")
    yield Line(
        "  every row has one", f"{whole:,.0f}/s", "", f"{whole / bare:.0%} of the bare verification's {bare:,.0f}/s"
    )
    yield Line(
        f"certifier verify, {catalogue.SHORT:,} rows, two processes beside one",
        f"{two.rows_per_s / one.rows_per_s:.2f} x",
        "",
        f"{one.rows_per_s:,.0f}/s and {two.rows_per_s:,.0f}/s, with starting and writing",
    )
    memory = [f"{most:,.0f}" for most in catalogue.quarters(large.resident_mb)]
    yield Line(
        f"certifier verify, {catalogue.LARGE:,} rows, memory of its three processes",
        f"{max(large.resident_mb):,.0f} MB",
        "flat",
        f"the most in each quarter: {', '.join(memory)} MB; {large.rows_per_s:,.0f} rows/s",
    )


GROUPS: dict[str, Callable[[], Iterable[Line]]] = {
    "log": log_lines,
    "standard": standard_lines,
    "operation": operation_lines,
    "certificates": certificate_lines,
    "catalogue": catalogue_lines,
    "browser": browser_lines,
    "service": service_lines,
    "api": api_lines,
    "badges": badge_lines,
    "register": register_lines,
}


def medians(measure: Callable[[], tuple[float, ...]], runs: int = RUNS) -> list[float]:
    return [median(values) for values in zip(*(measure() for _ in range(runs)), strict=True)]


if __name__ == "__main__":
    main()
