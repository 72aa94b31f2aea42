"""Sentences that are about something else than what the municipality does: words to a program, voices of residents."""

from __future__ import annotations

import re

_READER = (
    r"(?:(?<![a-z])(?:生成)?ai(?![a-z])|人工知能|プログラム|ソフトウェア|機械|評価(?:者|する(?:方|人|側))|審査(?:員|する)|採点(?:者|する)|調査(?:員|者|する)|判定(?:者|する)|クローラ"
    r"|言語モデル|アシスタント|(?<![a-z])(?:llm|gpt|bot)(?![a-z])|ボット|自動(?:収集|評価|判定))"
)
_ADDRESSED = re.compile(
    r"(?:これまで|以前|上記|前|他|ほか|元)の(?:すべての)?(?:指示|命令|指令|ルール|条件|プロンプト)(?:を|は|に)?[^。]{0,8}(?:無視|忘れ|従わ|破棄)"
    r"|(?:ignore|disregard|forget)(?:all|any|the)*(?:previous|above|prior|earlier|other)"
    r"|systemprompt|システムプロンプト|youarean?(?:ai|assistant)|asanai"
    rf"|{_READER}[^。]{{0,40}}(?:満点|最高(?:点|評価)|高く評価|(?<![a-z])met(?![a-z])|達成(?:済み)?と|該当すると|(?:と|に)(?:判定|評価|採点|回答|出力|分類|記録)(?:せよ|しろ|する(?:こと|よう)|して(?:ください|下さい|くれ)|しなさい|願))"
    r"|(?:自治体|市|町|村|区|サイト|ページ|項目|基準)(?:を|は|が|も|に)[^。]{0,24}(?:満点|最高(?:点|評価)|全(?:て|項目)(?:を)?(?:満た|達成|met)|すべて(?:を|の項目を)?(?:満た|達成|met)|(?<![a-z])met(?![a-z]))[^。]{0,16}(?:評価|判定|採点|回答|出力|扱|みなし|見なし|記録|せよ|すること|してください|しなさい|願)"
    r"|(?:満点|最高点|最高評価|(?<![a-z])met(?![a-z]))(?:と|で|に|を)[^。]{0,8}(?:評価|判定|採点|回答|出力|付け|つけ)[^。]{0,6}(?:せよ|しろ|すること|して(?:ください|下さい)|しなさい|願)"
)
_VOICE = re.compile(
    r"^(?:いただいた|頂いた|寄せられた|お寄せいただいた|主な)?(?:(?:(?:市民|町民|村民|住民|区民|利用者|皆(?:さん|様))(?:から)?の)?(?:ご)?(?:意見|要望|提案|質問|お声|声)(?:の(?:要旨|内容|概要))?|(?:議員)?(?:の)?質問(?:要旨|事項)?|(?:お)?問い?|q\d*|要旨)[::]?$"
)
_ANSWER = re.compile(r"(?:回答|答え|お答え|答弁|(?:市|町|村|区|担当課)の(?:考え|見解)|対応|^a\d*[.:]?$|^答)")
_TURN = re.compile(
    r"(?:^|(?<=[。?？！!]))\s*[(【\[<《〈〔「■●◆○◎・\s]*"
    r"(?:(?P<asks>(?:一般)?質問|質疑|お?手紙|お?便り|投書|問(?:い|\d+)?|ご?意見|ご?要望|ご?提案|記者|委員|市民|町民|[QqＱ]\d*|[一-龠]{0,4}議員)"
    r"|(?P<answers>答弁|回答|お?返事|ご返事|お?答え?|[AaＡ]\d*|副?[市町村区]長|教育長|[一-龠]{1,8}(?:課|局|部|室|所|事務)長|[市町村区]の考え))"
    r"(?:\([^)]{1,20}\))?[)】\]>》〉〕」:：.．\s]"
)
# What people wrote into a questionnaire.
_FREELY = re.compile(r"自由(?:記述|意見|回答|記載)(?:欄)?")
_VOICE_PLACE = re.compile(
    r"(?:ご意見|ご要望|市民の声|町民の声|みなさんの声|皆さんの声|提案箱|目安箱|手紙|パブリックコメント|意見公募|意見募集)"
)


# ご意見と、市の回答を紹介します。 ご意見は、用紙か郵便でお寄せください。
_PRESENTS = re.compile(
    r"(?:意見|提案|要望|質問|手紙|声)[^。]{0,30}(?:(?:回答|考え方|対応)[^。]{0,12}(?:紹介|掲載|公表|公開|お知らせ)し|お寄せください)"
)


def addressed_to_evaluator(sentence: str) -> bool:
    """Whether the folded sentence tells a reader or a program how to judge. Such a sentence is evidence of nothing."""
    return bool(_ADDRESSED.search(sentence))


def residents_voice(row: str, column: str, heading: str) -> bool:
    """Whether what stands there is a resident's wish or question rather than the office's word (folded labels)."""
    if _FREELY.search(heading) or _FREELY.search(row):
        return True
    if any(_ANSWER.search(label) and not _VOICE.match(label) for label in (row, column)):
        return False
    return any(_VOICE.match(label) for label in (row, column, heading) if label)


def presents_voices(sentence: str) -> bool:
    """Whether the office itself says in a folded sentence what becomes of what residents say: it answers them in
    public, or tells where to send it."""
    return bool(_PRESENTS.search(sentence))


def wishes_are_gathered(title: str, headings: str) -> bool:
    """Whether the page collects what residents say (提案箱, パブリックコメント)."""
    return bool(_VOICE_PLACE.search(title) or _VOICE_PLACE.search(headings))


_ANSWERS = re.compile(
    r"^\s*(?:[(【\[<《〈〔「■●◆○◎・]\s*)?(?:答弁|回答|お?返事|ご返事|お?答え?|[AaＡ])\d*(?:[)】\]>》〉〕」:：.．]\s*|\s+)"
)
_ASKED = re.compile(r"(?:か|か。|[?？])[」)）]*$")
_WISHED = re.compile(r"(?:ほしい|欲しい|べき(?:だ|では)?|たい|のでは|しては|不便|困る)[。」]?$")
_AFFIRMS = re.compile(
    r"^(?:はい|ええ|あります|ございます|(?:でき|使え|払え|納められ|受けられ|取れ|見られ|可能で)(?:ます|す|る)|可能です|(?:お使い|ご利用|ご覧|お支払い|お申し?込み|ご予約)(?:いただけ|になれ)ます"
    r"|(?:行っ|実施し|導入し|始め|設け|用意し|置い|使っ|運用し|配信し)て(?:い|お)ります?)(?:。|、|が、|$)"
    r"|ない(?:という)?(?:わけ|こと)(?:では|は)(?:決して)?(?:ありません|ございません|ない)。?$"
)


def without_turn(text: str) -> str:
    """A text without the mark that an answer begins with (答, A., 回答:)."""
    return _ANSWERS.sub("", text, count=1)


def is_question(label: str) -> bool:
    """Whether a folded heading, row or paragraph ends in a question."""
    return bool(_ASKED.search(label))


def is_wish(label: str) -> bool:
    """Whether a folded row tells what somebody wants (市のLINEを作ってほしい)."""
    return bool(_WISHED.search(label))


def affirms(sentence: str) -> bool:
    """Whether a folded sentence is a yes to the question before it (あります。 できないわけではありません。)."""
    return bool(_AFFIRMS.search(sentence))


def asker_speaks(text: str) -> bool:
    """In minutes and 質問と回答: whether the last marked turn in a text (its white space kept) is the asker's."""
    turns = list(_TURN.finditer(text))
    return bool(turns) and bool(turns[-1]["asks"])
