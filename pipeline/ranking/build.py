"""Results -> Ranking: pure, and one survey in memory at a time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from pipeline.errors import InputError
from pipeline.models import CriteriaSet
from pipeline.municipality import Kinds, PopulationClass
from pipeline.municipality.prefectures import HOST_LABELS
from pipeline.ranking.nouns import Group, Place, Ranked, Ranking
from pipeline.ranking.places import narrowed, place_of, rules_of
from pipeline.results import Result


def rank(
    results: Iterable[Result],
    kinds: Kinds,
    *,
    prefecture: str = "",
    population_class: str = "",
    viewpoint: str = "",
) -> Ranking:
    """The places of these surveys (one of each municipality) by confirmed points, the most first, then by code.

    Rank: 1 + the number of places with more points (1, 2, 2, 4). An open criterion is one that no person decided, or
    one of which a person confirmed that it could not be seen or judged. With every open criterion counted as met a
    place has `most` points. While all open criteria of all ranked places are settled in any way, its rank lies between

        best  = 1 + the number of others whose points exceed its `most`
        worst = 1 + the number of others whose `most` exceeds its points

    and both can happen. Other scopes than all: the rank is among the places within it. Places without a confirmed
    decision are not ranked; nor are those asked by other rules than most places were (see rules_of; where two wordings
    are as frequent, the one of the newest survey).

    Raises InputError where there is no survey, or none in the scope, telling what there is.
    """
    books: dict[str, CriteriaSet] = {}
    found: list[tuple[str, Place]] = []
    for result in results:
        rules = rules_of(result.criteria)
        books[rules] = result.criteria
        found.append((rules, place_of(result, kinds)))
    rules = _most_asked(found)
    chosen = _viewpoints(books[rules], viewpoint)
    kept = _within(found, prefecture, population_class, kinds)
    places = [(narrowed(place, chosen), own == rules) for own, place in kept]
    comparable = [place for place, same in places if same]
    ranked = ranked_of([place for place in comparable if place.possible > place.awaiting])
    criteria = books[rules]
    return Ranking(
        criteria_id=criteria.id,
        title_ja=criteria.title_ja,
        title_en=criteria.title_en,
        versions=tuple(sorted({place.version for place in comparable})),
        viewpoints=tuple(one for one in criteria.viewpoints if one.id in chosen),
        possible=sum(one.viewpoint in chosen for one in criteria.criteria),
        prefecture=prefecture,
        population_class=next((one for one in kinds.classes if one.id == population_class), None),
        viewpoint=viewpoint,
        kinds_as_of=kinds.as_of,
        ranked=ranked,
        unconfirmed=_by_code(place for place in comparable if place.possible == place.awaiting),
        other_rules=_by_code(place for place, same in places if not same),
        prefectures=_by_prefecture(comparable),
        classes=_by_class(comparable, kinds.classes),
    )


def ranked_of(places: Sequence[Place]) -> tuple[Ranked, ...]:
    """The places in order, with their ranks and the ranks they can come to."""
    points, most = sorted(one.points for one in places), sorted(one.most for one in places)
    classes: dict[str, list[int]] = defaultdict(list)
    for place in places:
        classes[place.population_class.id].append(place.points)
    own = {id_: sorted(each) for id_, each in classes.items()}
    in_order = sorted(places, key=lambda one: (-one.points, one.municipality.code))
    return tuple(_ranked(place, points, most, own[place.population_class.id]) for place in in_order)


def _ranked(place: Place, points: Sequence[int], most: Sequence[int], in_class: Sequence[int]) -> Ranked:
    """points, most, in_class: of all places (of its class), ascending, its own included."""
    itself = int(place.most > place.points)  # its own `most` exceeds its own points
    return Ranked(
        place=place,
        rank=1 + _above(points, place.points),
        ties=bisect_right(points, place.points) - bisect_left(points, place.points),
        best=1 + _above(points, place.most),
        worst=1 + _above(most, place.points) - itself,
        rank_in_class=1 + _above(in_class, place.points),
        in_class=len(in_class),
    )


def _above(ascending: Sequence[int], value: int) -> int:
    return len(ascending) - bisect_right(ascending, value)


def _most_asked(found: Sequence[tuple[str, Place]]) -> str:
    if not found:
        raise InputError("there is no finished survey by these criteria to rank; survey first: classify --city NAME")
    counts = Counter(rules for rules, _ in found)
    newest: dict[str, str] = {}
    for rules, place in found:
        newest[rules] = max(newest.get(rules, ""), place.run_id)
    return max(counts, key=lambda rules: (counts[rules], newest[rules]))


def _viewpoints(criteria: CriteriaSet, wanted: str) -> frozenset[str]:
    """The viewpoint asked for, or all of them."""
    known = [one.id for one in criteria.viewpoints]
    if wanted and wanted not in known:
        raise InputError(f"{criteria.id} has no viewpoint {wanted}; it has {', '.join(known)}")
    return frozenset([wanted] if wanted else known)


def _within(
    found: Sequence[tuple[str, Place]], prefecture: str, population_class: str, kinds: Kinds
) -> list[tuple[str, Place]]:
    known = [one.id for one in kinds.classes]
    if population_class and population_class not in known:
        raise InputError(f"there is no population class {population_class}; there are {', '.join(known)}")
    kept = [
        (rules, place)
        for rules, place in found
        if prefecture in ("", place.municipality.prefecture) and population_class in ("", place.population_class.id)
    ]
    if not kept:
        raise InputError(f"no surveyed municipality lies in {_scope(prefecture, population_class)}. {_there(found)}")
    return kept


def _scope(prefecture: str, population_class: str) -> str:
    return " and ".join(filter(None, (prefecture, population_class and f"class {population_class}")))


def _there(found: Sequence[tuple[str, Place]]) -> str:
    prefectures = sorted({place.municipality.prefecture for _, place in found} - {""}, key=_prefecture_order)
    classes = sorted({place.population_class.id for _, place in found})
    return f"Surveyed are municipalities of {'、'.join(prefectures) or 'no prefecture'}; classes: {', '.join(classes)}."


def _by_code(places: Iterable[Place]) -> tuple[Place, ...]:
    return tuple(sorted(places, key=lambda one: one.municipality.code))


def _prefecture_order(name: str) -> tuple[int, str]:
    """In the order of their codes, from 北海道 to 沖縄県; unknown ones after them."""
    known = list(HOST_LABELS)
    return (known.index(name) if name in known else len(known), name)


def _by_prefecture(places: Sequence[Place]) -> tuple[Group, ...]:
    members: dict[str, list[Place]] = defaultdict(list)
    for place in places:
        members[place.municipality.prefecture].append(place)
    members.pop("", None)  # prefectures themselves, and places outside the registry
    return tuple(
        _group(name, name, HOST_LABELS.get(name, name).capitalize(), members[name])
        for name in sorted(members, key=_prefecture_order)
    )


def _by_class(places: Sequence[Place], classes: Sequence[PopulationClass]) -> tuple[Group, ...]:
    members: Mapping[str, list[Place]] = defaultdict(list)
    for place in places:
        members[place.population_class.id].append(place)
    return tuple(_group(one.id, one.name_ja, one.name_en, members[one.id]) for one in classes if one.id in members)


def _group(id_: str, name_ja: str, name_en: str, places: Sequence[Place]) -> Group:
    ranked = [one for one in places if one.possible > one.awaiting]
    return Group(
        id=id_,
        name_ja=name_ja,
        name_en=name_en,
        surveyed=len(places),
        ranked=len(ranked),
        mean=fmean(one.points for one in ranked) if ranked else None,
        mean_most=fmean(one.most for one in ranked) if ranked else None,
    )
