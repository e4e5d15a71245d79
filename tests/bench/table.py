"""How the figures are shown: one line for each, medians with the span of the rounds."""

from collections.abc import Sequence
from statistics import fmean, median

from tests.bench import imports as importing
from tests.bench.feeds import EVENTS, FeedTimes
from tests.bench.imports import ImportTimes
from tests.bench.load import LoadResult
from tests.bench.measures import FEW, MANY, READERS, Compared, DayTimes, Growth, SignIns, Storm, Trips
from tests.bench.month_page import EVENTS as PAGE_EVENTS
from tests.bench.month_page import MonthPages
from tests.bench.months import FEW as FEW_EVENTS
from tests.bench.months import MANY as MANY_EVENTS
from tests.bench.months import Months, OldRule
from tests.bench.sides import CONNECTIONS, SIGN_INS

HEAD = (
    f"{'':34}{'planner/s':>10}{'bound/s':>10}{'ratio':>7}{'(rounds)':>14}"
    f"{'p50 ms':>8}{'p99 ms':>8}{'bound p99':>11}{'cpu µs':>8}{'bound cpu':>11}"
)


def comparison(name: str, figures: Compared) -> str:
    """An operation on both servers."""
    bad = _bad([*figures.planner, *figures.bound])
    if bad:
        return f"{name:34}  failed: {bad}"
    return (
        f"{name:34}{_rate(figures.planner):10,.0f}{_rate(figures.bound):10,.0f}{_ratios(figures.ratios)}"
        f"{_quantile(figures.planner, 0.5):8.1f}{_quantile(figures.planner, 0.99):8.1f}"
        f"{_quantile(figures.bound, 0.99):11.1f}{_each(figures.planner)}{_each(figures.bound):>11}"
    )


def day(figures: DayTimes) -> str:
    """A day's mix, which the floor does not serve."""
    name = f"a day's mix, {CONNECTIONS} clients"
    if bad := _bad(figures.mix):
        return f"{name:34}  failed: {bad}"
    rates = [result.rate for result in figures.mix]
    return (
        f"{name:34}{_rate(figures.mix):10,.0f}{f'({min(rates):,.0f}–{max(rates):,.0f})':>31}"
        f"{_quantile(figures.mix, 0.5):8.1f}{_quantile(figures.mix, 0.99):8.1f}{'':11}{_each(figures.mix)}"
        f"\n{'':34}  one more client signs in meanwhile: {median(figures.sign_ins):.1f}/s, which is in the cpu"
    )


def sign_ins(figures: SignIns) -> str:
    """Sign-ins, bounded by bcrypt."""
    name = f"sign in, {SIGN_INS} clients"
    if bad := _bad(figures.planner):
        return f"{name:34}  failed: {bad}"
    return (
        f"{name:34}{_rate(figures.planner):10.1f}{median(figures.hashes):10.1f}{_ratios(figures.ratios)}"
        f"{_quantile(figures.planner, 0.5):8.0f}{_quantile(figures.planner, 0.99):8.0f}"
    )


def storm(figures: Storm) -> str:
    """Reads while others sign in."""
    line = comparison(f"get, {READERS} clients, {SIGN_INS} sign in", figures.reads)
    return f"{line}\n{'':34}  bound: the same {READERS} alone; sign-ins meanwhile {median(figures.sign_ins):.1f}/s"


def workers(figures: Compared) -> str:
    """Reads answered by one worker and by two."""
    if bad := _bad([*figures.bound, *figures.planner]):
        return f"two workers  failed: {bad}"
    return (
        f"get one event, two workers on all cores: {_rate(figures.planner):,.0f}/s, "
        f"one: {_rate(figures.bound):,.0f}/s: "
        f"ratio{_ratios(figures.ratios)}; the planner's processor time for each{_each(figures.planner)} and"
        f"{_each(figures.bound)} µs"
    )


def growth(figures: Growth) -> str:
    """Creating with few and with many events."""
    return (
        f"create, one at a time: {median(figures.few):.2f} ms with {FEW} events, "
        f"{median(figures.many):.2f} ms with {MANY:,}: ratio {figures.ratio:.2f}"
    )


def starts(empty: Sequence[float], again: Sequence[float]) -> str:
    """How long a start takes."""
    return (
        f"first answer after the start of the process: {median(empty):.2f} s with an empty DATA_DIR, "
        f"{median(again):.2f} s at the second start"
    )


def trips(figures: Trips) -> str:
    """What authentication costs the database."""
    return (
        f"{figures.reads:,} authenticated reads in {figures.seconds:.1f} s: {figures.events:,} queries for events, "
        f"{figures.accounts} for accounts and sessions ({figures.accounts / figures.reads:.4f} for each read)"
    )


def months(figures: Months) -> str:
    """A month of occurrences among few and among many events."""
    return (
        f"the first 50 occurrences of a month: {median(figures.few):.2f} ms among {FEW_EVENTS:,} events, "
        f"{median(figures.many):.2f} ms among {MANY_EVENTS:,}: ratio {figures.ratio:.2f}"
    )


def month_pages(figures: MonthPages) -> str:
    """The pages of twelve months, beside the JSON of their occurrences."""
    return (
        f"month page among {PAGE_EVENTS:,} events, {median(figures.occurrences):.0f} occurrences: "
        f"{median(map(median, figures.pages)):.1f} ms, the slowest of {len(figures.pages)} {figures.slowest:.1f} ms, "
        f"cpu {fmean(figures.processor):.1f} ms; "
        f"the JSON of its occurrences {median(map(median, figures.json)):.1f} ms: ratio {median(figures.ratios):.2f}"
    )


def feed(figures: FeedTimes) -> str:
    """A feed of many events, beside icalendar."""
    return (
        f"a feed of {EVENTS:,} events, {figures.size / 1e6:.1f} MB: {figures.first:.2f} s the first time, "
        f"{median(figures.again):.2f} s again; icalendar writes it in {median(figures.theirs):.2f} s: "
        f"ratio {figures.ratio:.2f}, again {median(figures.again) / median(figures.theirs):.2f}\n"
        f"  unchanged, {median(figures.unchanged):.1f} ms; the slowest read meanwhile {max(figures.meanwhile):.0f} ms"
    )


def imports(figures: ImportTimes) -> str:
    """An import of many events, beside icalendar, and what others notice of it."""
    quiet, meanwhile = (
        f"p50 {importing.percentile(taken, 50):.1f}, p99 {importing.percentile(taken, 99):.1f} ms"
        for taken in (figures.quiet, figures.meanwhile)
    )
    return (
        f"an import of {importing.EVENTS:,} events, {figures.size / 1e6:.1f} MB: {figures.first:.2f} s, "
        f"again {figures.again:.2f} s; icalendar alone reads it in {figures.theirs:.2f} s: ratio {figures.ratio:.2f}\n"
        f"  others' reads meanwhile {meanwhile}; in quiet {quiet}"
    )


def old_rule(figures: OldRule) -> str:
    """A rule that began long ago."""
    return (
        f"a month of a daily rule twenty years old: {figures.ours:.0f} µs, with dateutil {figures.theirs:,.0f} µs: "
        f"{figures.theirs / figures.ours:.0f} times as fast"
    )


def _rate(results: Sequence[LoadResult]) -> float:
    return median(result.rate for result in results)


def _quantile(results: Sequence[LoadResult], part: float) -> float:
    return median(result.quantile(part) for result in results)


def _each(results: Sequence[LoadResult]) -> str:
    each = median(result.each for result in results)
    return f"{each:8.0f}" if each else f"{'':8}"


def _ratios(ratios: Sequence[float]) -> str:
    span = f"{min(ratios):.2f}–{max(ratios):.2f}"
    return f"{median(ratios):7.2f}{span:>14}"


def _bad(results: Sequence[LoadResult]) -> str:
    totals: dict[str, int] = {}
    for result in results:
        for what, count in result.bad.items():
            totals[what] = totals.get(what, 0) + count
    return ", ".join(f"{count} times {what}" for what, count in totals.items())
