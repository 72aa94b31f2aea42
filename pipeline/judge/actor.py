"""Whose deed a sentence tells: the municipality's, or a neighbour's, the prefecture's, the nation's, a company's."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

from pipeline.models import Municipality


class Actor(StrEnum):
    OWN = "own"
    NEIGHBOUR = "neighbour"
    PREFECTURE = "prefecture"
    NATION = "nation"
    COMPANY = "company"
    BODY = "body"  # association, chamber, university and the like
    UNSAID = "unsaid"

    @property
    def other(self) -> bool:
        return self not in (Actor.OWN, Actor.UNSAID)


@dataclass(frozen=True)
class Mention:
    """An actor named in folded text[start:end]. subject: the one who acts (は が では による).

    bound: an office or staff (職員, 役場, 市), which belong to whichever government was named before them.
    """

    actor: Actor
    start: int
    end: int
    subject: bool
    bound: bool = False


_SUBJECT = r"(?:は|が(?!い)|では|には|でも|においては|による|により|によって|:|主催|運営|独自|も(?!と)|からの)"
_SUBJECT_AFTER = re.compile(r"(?:[^、。はがを]{0,6}|の[^、。をにが]{0,30}?)" + _SUBJECT)
_KAN = r"[一-龠々ヶケァ-ヴー]"
# さいたま, みどり: hiragana that does not end in what joins it to 市 or 町 as a word (この, 新たな, 住みよい, ある).
_HIRAGANA = r"[ぁ-ん]{1,6}(?![のなるたいにはがをもとでてずへ])[ぁ-ん]"
_OTHER_TOWN = re.compile(
    rf"(?P<many>(?:多く|大半|ほとんど|大部分|全国|各地|県内|道内|府内|都内|一部|いくつか|複数)(?:の)?(?:自治体|市区?町村|地方公共団体))"
    rf"|(?P<generic>(?:他|ほか|よそ|近隣|隣|となり|近く|周辺|隣接|先進|先行)(?:する)?(?:の)?(?:市町村|市町|市|町|村|区|自治体|団体))"
    rf"|(?P<kana>(?<![ぁ-んー]){_HIRAGANA}(?:市|町|村))(?={_SUBJECT}|(?<=市)の(?!方|人|皆|中)|$|[|)」])"
    rf"|(?P<kanaoffice>(?<![ぁ-んー]){_HIRAGANA}(?:市役所|町役場|村役場|市議会|町議会|村議会|市公式|町公式|村公式))"
    rf"|(?P<named>(?<!{_KAN}){_KAN}{{1,8}}?(?:市|町|村|区))(?!{_KAN}|ごと)"
    rf"|(?P<section>(?<!{_KAN}){_KAN}{{1,8}}?(?:市|町|村))(?=[一-龠ァ-ヴー]{{1,10}}(?:課|係)(?:へ|に|まで|が|は|の))"
    rf"|(?P<office>(?<!{_KAN}){_KAN}{{1,8}}?(?:市|町|村|区))(?:役所|役場|教育委員会|議会|長(?!{_KAN})|立|公式)"
)
# Words that end in 市・町・村・区 and name no other municipality.
_NOT_A_TOWN = re.compile(
    r"^(?:.{0,6}(?:特集|連載|巻頭|巻末|表紙|速報|新着|広報|別冊|臨時|概要|資料|参考|付録|別紙|様式|回|号|版|新生)|本|当|同|各|全|両|貴|我|わが|我が|都|地|学|選挙|校|行政|自治|市街化調整|特別|工|農|山|漁|下|城下|港|門前|宿場|温泉|団|朝|日曜|青空|定期|株|蚤"
    r"|政令(?:指定都)?|中核|特例|一般|管内|県内|府内|道内|都内|全国|国内|市内|町内|域内|圏内|構成|関係|参加|加入|対象|指定都|姉妹(?:都)?|友好(?:都)?)?"
    r"(?:市町村|市町|町村|市区町村|市|町|村|区)$|都市$|[〇一二三四五六七八九十\d]+(?:市|町|村|区)$|(?:小|中)学校区$|地区$|学区$|校区$|街区$|工区$|票区$|市区$|朝市$|市町$|町村$"
)
_PREFECTURE = re.compile(
    rf"(?:(?<!{_KAN})(?:{_KAN}{{1,4}})?(?:県(?!民|外|道|税|境)|(?<=東京)都|(?<=北海)道|(?<=大阪)府|(?<=京都)府))"
)
_PREFECTURAL = re.compile(
    rf"(?:(?<!{_KAN}){_KAN}{{1,4}})?県(?:立|警|庁|知事|教育委員会|主催|運営|営|広域振興局|総合庁舎|税事務所|保健所|公式)|(?:都|道|府)(?:庁|立|警|知事)|都道府県"
)
_NATION = re.compile(
    rf"(?<!{_KAN})国(?!税|立|民|際|保|籍|道|語|内|外|宝|庫|会議員|勢|土|連|々)|政府|(?:総務|厚生労働|文部科学|経済産業|国土交通|農林水産|環境|法務|外務|財務|防衛)省|内閣(?:府|官房)|(?:デジタル|消防|警察|気象|国税|観光|文化|中小企業|こども家庭|スポーツ|林野|水産|消費者|復興|特許|資源エネルギー)庁|独立行政法人|(?<!{_KAN})省(?:が|の|では|は)"
)
_COMPANY = re.compile(
    r"[一-龠々ァ-ヴーa-z0-9・]{0,12}(?:株式会社|\(株\)|有限会社|\(有\)|合同会社)[一-龠々ァ-ヴーa-z0-9・]{0,12}|(?:パートナー|認定|登録)企業|(?:会社|企業|事業者|店)「[^「」]{1,20}」(?=は|が|では|による)|(?:民間|運営|開発|通信|携帯|電力|鉄道|バス|印刷|保守の?|製造)(?:事業者|会社|企業)|(?!会社)(?:[一-龠々ァ-ヴーa-z]{1,8})(?:店|(?<!神)(?<!自)(?<!他)(?<!各)社|商店|銀行|信用金庫|ショップ|メーカー|書店|商会|製作所|工業|電機|建設)(?=は|が(?!使え|受けられ|利用でき|活用でき|選べ)|では|の|による|主催)|(?:(?!と)[ぁ-んァ-ヴー一-龠]){1,8}(?:銀行|信用金庫)(?=は|が|では|の)|(?:加盟|参加)(?:店|店舗|社)|各(?:店舗|店|社)(?=が|は|では|による)|(?<![一-龠])(?:企業|会社|お?店|事業者)(?=は|が(?!(?:使え|受けられ|利用でき|活用でき|選べ)|[^。]{0,40}(?:する|れる|える|選ぶ|押す)と)|では|による)"
    r"|(?:店内|店頭|当店|当社|弊社|本店|各店|同(?:院|社|店|金庫|行|法人|会|所))(?=で|に|が|は|の|にて)|(?:クリニック|医院|薬局)(?=$|で|に|が|は|の|にて)|[一-龠々ァ-ヴー]{2,10}店(?=$|[「『、|])"
)
# A private person: 農家、三田村さんが一人で撮りためた動画
_PERSON = re.compile(
    r"(?<!皆)(?<!みな)(?<!お客)(?<!お子)(?<!父)(?<!母)(?<!奥)(?:[一-龠ぁ-んァ-ヴー]{2,8}|」)さん(?=が[^。]*(?:個人|一人で|ひとりで|自分で|自ら|自身の|趣味))"
)
# What stands under such a heading was paid for by somebody else.
_ADVERTISES = re.compile(r"(?:有料|企業|民間|バナー)?広告(?:欄|枠|コーナー|のページ)?(?:$|[|(（])|^pr$|スポンサー")
_BODY = re.compile(
    r"商工会(?:議所)?|商店(?:街|会)|銀座|法務局|税務署|サークル|愛好会|同好会|ロータリー|ライオンズ|主催団体|社会福祉協議会|社協|観光(?:協会|連盟|連合会|機構)|(?:国際交流|文化|医師|体育|消費者|老人クラブ)(?:協会|会|連合会)(?!館|議|場)|振興(?:センター|機構|財団|公社)|(?<!市民)(?<!町民)(?<!村民)(?<!老人)(?<!高齢者)(?<!シニア)(?:大学|高等学校|高校|高専)(?!生|の?(?:学生|生徒))|農(?:業)?協(?:同組合)?|(?<![a-z])ja(?![a-z])|森林組合|漁協|npo(?:法人)?|(?:財団|社団|学校|医療|社会福祉)法人|私立(?:の)?[^、。はがでの]{0,6}|民間の[^、。はがでの]{1,6}(?=は|が|では|による)|(?:産業|経営|よろず)[^、。]{0,6}(?:支援センター|支援拠点|相談所)|実行委員会|団体(?:・|や|と)(?:近隣|他|ほか)|(?:ボランティア|市民活動|町民活動)団体|子ども食堂|店主(?=が|の|は)|(?:地域|民間|市民|住民|町民|村民)の(?:団体|グループ|有志)|有志(?=が|は|の|$)|協議会(?=独自|の?主催)|自治会(?:が|は|では)|町内会(?:が|は|では)|(?:連合|機構|連盟|財団|公社|組合)(?=は|が|の|では|による)"
)
_OWN = re.compile(r"本市|当市|本町|当町|本村|当村|本区|当区")
_OFFICE = re.compile(
    rf"(?<!{_KAN})(?:市|町|村|区)(?:役所|役場|長|立|営|議会|公式|独自|教育委員会|として|の(?!外)|は|が|では|で(?!き)|と|から|も|に(?!よ))"
    rf"|(?<!{_KAN})(?:市|町|村|区)(?=、)|市役所|町役場|村役場|区役所|役場|教育委員会|消防(?:本部|署)|市民課|税務課"
    rf"|(?<!{_KAN})(?:全)?職員(?=が|は)|庁内|本庁舎|(?:公民館|図書館|保健センター|市民センター|支所|出張所)(?=が|は|では)"
)
_TOGETHER = re.compile(
    r"(?:仲間|輪|枠組み|仕組み|共同利用)に(?:加わ|加入し|参加し)(?:り|っ|て|まし)|"
    r"(?:組合|広域連合|協議会|センター)が[^。]{0,60}(?:本町|本村|当町|当村|本市|当市|村では|町では|市では|[3-9三四五六七八九]つの市町)|"
    r"(?:県|国|都|府|道|一部事務組合|広域連合|近隣(?:の)?[市町]{1,2})(?:と|及び|および|・|や)[^。]{0,14}(?:共同|協同|一緒|連携)(?:で|して)?(?:[^。]{0,8})?(?:運営|利用|提供|整備|導入|開発|設置|行|実施|つく|作)"
    r"|(?:市町村|市町|町村|自治体)(?:が|と|で)(?:[^。]{0,6})?共同(?:で)?(?:運営|利用|提供|整備|導入|設置|して)"
    r"|(?:本市|当市|本町|当町|本村|当村|(?:市|町|村)民(?:の(?:方|皆さん|皆様|みなさん))?)(?:も|は|が)[^。]{0,24}(?:参加し|加入し|加わって|加わり|利用でき|利用していただけ|使え|お使い|ご利用(?:いただけ|になれ|でき))"
)


_LISTED_BEFORE = re.compile(r"(?:市|町|村|区)(?:と|・|、|や)(?:(?:国|県|都|道|府)(?:と|・|、|や))?$")
_LISTED_AFTER = re.compile(r"(?:と|・|、|や)(?:(?:国|県|都|道|府)(?:と|・|、|や))?(?:市|町|村|区)の")


_JOINT = re.compile(r"組合|広域連合")
_AT_ONCE = 6  # characters before the name that begins a sentence
# 清鈴市情報化推進計画: the name's own thing.
_COMPOUND = re.compile(rf"{_KAN}{{1,14}}")


class Names:
    """Who is meant by a name, seen from one municipality."""

    def __init__(self, municipality: Municipality) -> None:
        self.name = municipality.name.lower()
        self.prefecture = municipality.prefecture.lower()

    @cached_property
    def _own_name(self) -> re.Pattern[str]:
        """The name where it is not the end of a longer one (東松山市 is not 松山市, 大津市 not 津市)."""
        name = re.escape(self.name)
        if len(self.name) > 2:
            return re.compile(f"(?<![東西南北上下新大小中]){name}")
        return re.compile(f"(?:(?<!{_KAN})|(?<=[県郡都府道度次年]))(?:{name})")

    @cached_property
    def _own_prefecture(self) -> re.Pattern[str]:
        return re.compile(re.escape(self.prefecture))

    def mentions(self, text: str) -> list[Mention]:
        """The actors that a folded text names, in order; of overlapping ones the earlier and longer."""
        found = [
            *self._spans(self._own_name, Actor.OWN, text),
            *self._towns(text),
            *(self._spans(self._own_prefecture, Actor.PREFECTURE, text) if self.prefecture else ()),
            *self._spans(_PREFECTURAL, Actor.PREFECTURE, text),
            *self._spans(_PREFECTURE, Actor.PREFECTURE, text),
            *self._spans(_NATION, Actor.NATION, text),
            *self._spans(_COMPANY, Actor.COMPANY, text),
            *self._spans(_BODY, Actor.BODY, text),
            *self._spans(_PERSON, Actor.BODY, text),
            *self._spans(_OWN, Actor.OWN, text),
            *self._spans(_OFFICE, Actor.OWN, text, bound=True),
        ]
        found = [self._of_its_kind(one, text) for one in found if not self._listed_beside(one, text)]
        kept: list[Mention] = []
        for one in sorted(found, key=lambda mention: (mention.start, -mention.end)):
            if kept and one.actor is Actor.BODY and one.start == kept[-1].end and not kept[-1].bound:
                kept[-1] = one  # 青空市社会福祉協議会: the body of that place
            elif not kept or one.start >= kept[-1].end:
                kept.append(one)
            elif one.end > kept[-1].end and one.actor is Actor.OWN and self.name in text[one.start : one.end]:
                kept[-1] = one  # 霞県青空市: the municipality, with its prefecture before it
        return kept

    def _of_its_kind(self, one: Mention, text: str) -> Mention:
        """On a city's page 町では is a neighbour or a town that is no more."""
        kind = text[one.start]
        if not one.bound or kind not in "市町村" or self.name[-1] in (kind, "区"):
            return one
        return replace(one, actor=Actor.NEIGHBOUR, bound=False)

    @staticmethod
    def _listed_beside(one: Mention, text: str) -> bool:
        """Whether a government only stands in a list with the municipality (市と国、県の制度; 国・県・市の支援)."""
        if one.actor not in (Actor.PREFECTURE, Actor.NATION):
            return False
        return bool(_LISTED_BEFORE.search(text[: one.start]) or _LISTED_AFTER.match(text[one.end :]))

    def _spans(self, pattern: re.Pattern[str], actor: Actor, text: str, bound: bool = False) -> list[Mention]:
        return [self._mention(actor, found, text, bound) for found in pattern.finditer(text)]

    def _mention(self, actor: Actor, found: re.Match[str], text: str, bound: bool = False) -> Mention:
        """A mention is a subject by its own particle, or as owner of the subject (県の安全メールは)."""
        ends_in_subject = bool(re.search(f"(?:{_SUBJECT}|として)$", found.group()))
        subject = ends_in_subject or bool(_SUBJECT_AFTER.match(text[found.end() : found.end() + 40]))
        return Mention(actor, found.start(), found.end(), subject, bound)

    def _towns(self, text: str) -> list[Mention]:
        found = []
        for one in _OTHER_TOWN.finditer(text):
            name = one["named"] or one["section"] or one["office"] or one["kana"] or ""
            if self._own_name.search(text, one.start(), one.end()) or (name and _NOT_A_TOWN.search(name)):
                continue
            if name.endswith(("町", "村", "区")) and not self._acts_as_town(one, text):
                continue
            found.append(self._mention(Actor.NEIGHBOUR, one, text))
        return found

    def _acts_as_town(self, one: re.Match[str], text: str) -> bool:
        """A 町 or 村 may be a quarter: a municipality acts, has an office, or stands with 県 before it."""
        if one["office"] or one["section"] or one["kanaoffice"]:
            return True
        after = text[one.end() : one.end() + 4]
        return "県" in one.group() or bool(re.match(r"(?:は|が|では|も|による|の(?!\d))", after))

    def whose(self, sentence: str, at: int) -> Actor:
        """Who acts where `at` stands in a folded sentence; UNSAID where the sentence does not say.

        The last subject before the place decides; else a name whose possessive reaches it (県の○○); else a later
        subject of the sentence.
        """
        named = _unbound(self.mentions(sentence))
        if _TOGETHER.search(sentence) and not (named and named[0].actor is Actor.NATION and named[0].subject):
            return Actor.OWN
        owners = [one for one in named if one.start <= at and self._owns(one, sentence, at)]
        if owners:
            ours = _beside(named, owners[-1], sentence) or _serves(named, owners[-1], sentence)
            return Actor.OWN if ours else owners[-1].actor
        later = [one for one in named if one.start > at and one.subject]
        return later[0].actor if later else Actor.UNSAID

    def joins(self, text: str) -> bool:
        """Whether a following sentence tells that the municipality takes part (本町の職員は11人が修了しました)."""
        first = next(iter(self.mentions(text)), None)
        return first is not None and first.actor is Actor.OWN and first.start <= _AT_ONCE and first.subject

    @staticmethod
    def _owns(one: Mention, sentence: str, at: int) -> bool:
        between = sentence[one.end : at]
        if one.subject or (not one.bound and _COMPOUND.fullmatch(between)):
            return True
        return len(between) <= 14 and "、" not in between and bool(re.match(r"の(?!外|方)|公式|」?の", between or "の"))

    def topic(self, label: str) -> Actor:
        """Whom a folded heading or title is about; UNSAID where it names nobody or the municipality beside others."""
        if _ADVERTISES.search(label):
            return Actor.COMPANY
        actors = {one.actor for one in self.mentions(label)}
        if Actor.OWN in actors:
            return Actor.OWN
        others = [actor for actor in actors if actor.other]
        return sorted(others)[0] if others else Actor.UNSAID

    def subject(self, text: str) -> Actor:
        """The last subject of a folded text, which a following sentence without one takes over; the municipality where
        the text comes back to it by name (隣の市では…。本市の状況は)."""
        if _TOGETHER.search(text):
            return Actor.OWN
        named = _unbound(self.mentions(text))
        subjects = [one for one in named if one.subject]
        if not subjects:
            return Actor.UNSAID
        last = subjects[-1]
        comes_back = any(one.actor is Actor.OWN and not one.bound and one.start > last.start for one in named)
        return Actor.OWN if comes_back else last.actor


def _beside(named: list[Mention], owner: Mention, sentence: str) -> bool:
    """Whether the municipality is named as a partner before a company or body (市と株式会社○○は、共同で…)."""
    if owner.actor not in (Actor.COMPANY, Actor.BODY):
        return False
    return any(
        one.actor is Actor.OWN
        and one.end <= owner.start
        and re.match(r"(?:と|及び|、)?$", sentence[one.end : owner.start])
        for one in named
    )


def _serves(named: list[Mention], owner: Mention, sentence: str) -> bool:
    """Whether a joint body does it for the municipality, which the sentence names."""
    joint = owner.actor is Actor.BODY and bool(_JOINT.search(sentence[owner.start : owner.end]))
    return joint and any(one.actor is Actor.OWN and not one.bound for one in named)


def _unbound(named: list[Mention]) -> list[Mention]:
    """Without the offices and staff that belong to another government named before them (隣の市では職員が…)."""
    kept: list[Mention] = []
    of_another = False
    for one in named:
        if one.bound and of_another:
            continue
        if not one.bound:
            of_another = one.actor is Actor.NEIGHBOUR or (one.actor in (Actor.COMPANY, Actor.BODY) and one.subject)
        kept.append(one)
    return kept
