"""Whether a Japanese clause denies: read at its end, where Japanese says it."""

from __future__ import annotations

import re

# What may stand after the predicate without changing it: politeness, "that is the situation", conjunctions.
_TAIL = (
    r"(?:(?:のが|という)?(?:現状|状況|状態|段階|ところ|次第|もの|実情)?(?:です|である|でございます|でした|だ|となっています"
    r"|となっております|にあります|であり|で)?)?(?:が|けれど|けれども|ものの|ので|ため|から|ことから|し)?[、。」』)\]!]*$"
)
_DENIAL = re.compile(
    r"(?:ません(?:でした)?|(?<![少危くき])ない(?:です)?|なかった|(?:では|じゃ)?なく|おらず|いず|できず|せず|なし|無し|無い"
    r"|未(?:導入|実施|整備|対応|設置|策定|着手|作成|開設|公表|定)(?:です)?|不可(?:能)?|非対応|対象外|お断り(?:します|しています)?"
    r"|見送(?:り|る|った|っ)?(?:まし)?(?:た|ている|ています|ております)?(?:こととし(?:た|まし)(?:た)?)?|困難|難しい|ない(?:こと(?:と|に)(?:し|なり|なっ)|方針)[^、。]{0,8}|見合わせ(?:る|ます|まし|て)[^、。]{0,6}|断念し[^、。]{0,6}|白紙に[^、。]{0,8}|凍結し[^、。]{0,6})"
    + _TAIL
)
# Denials in form that say yes, or say nothing about the thing itself.
_YES_IN_FORM = re.compile(
    r"(?:な(?:けれ|くて)ばな(?:らない|りません)|なくてはな(?:らない|りません)|な(?:けれ|く)(?:て)?はいけ(?:ない|ません)"
    r"|ざるを得(?:ない|ません)|にほかな(?:らない|りません)|に他な(?:らない|りません)|かもしれ(?:ない|ません)"
    r"|(?:ない|ぬ)(?:こと|わけ)(?:は|では)(?:ない|ありません)|なく(?:は)?(?:ない|ありません)|に越したことは(?:ない|ありません)"
    r"|(?:構|かま)(?:わない|いません)|差し支え(?:は)?(?:ない|ありません|ございません)|(?:問題|支障|心配|遜色|変わり)(?:は|も)?(?:ない|ありません|ございません)"
    r"|欠かせ(?:ない|ません)|欠かすことは?でき(?:ない|ません)|少な(?:く)?(?:ない|ありません)|過言では(?:ない|ありません))"
    + _TAIL
)
# A burden that is gone is a service that is there.
_NO_BURDEN = re.compile(
    r"(?:必要|手間|待ち時間|待つこと|費用|負担|料金|手数料|通信料|制限|お金)(?:は|が|も|に)?(?:一切)?"
    r"(?:なく(?:なり(?:まし)?た|なった)|ありません|ない|なし|ございません|かかりません|かからない|いりません|要りません)"
    + _TAIL
    + r"|(?:並ば|待た|行か|出向か|書か|押さ)(?:なく|ない|ず)(?:て|で|に)(?:も)?(?:済み|よい|いい|結構|すみ)"
)
_LIMITED = re.compile(
    r"(?:わけではありません|わけではない|とは限りません|とは限らない|だけではありません|のみではありません|一部|以外は|ただし|但し|除き"
    r"|(?:の|た|る|い)(?:場合|方|時|とき|際)(?:に)?(?:は|、)|時間外|休館日|休業日|土(?:・)?日|年末年始|メンテナンス|保守(?:作業)?の(?:ため|間)"
    r"|期間中|当日|点検|(?:高額|金額|万円|枚以上|枚を超え)|(?:変更|取消|取り消し|取消し|キャンセル|返金|返品|領収書|領収証書|払い戻し|併用|複数)[^、。]{0,8}(?:は|が))"
)


def denies(clause: str) -> bool:
    """Whether the clause, folded, ends in a denial. A denied burden (必要はありません) and a denied denial are none."""
    return bool(_DENIAL.search(clause)) and not _YES_IN_FORM.search(clause) and not _NO_BURDEN.search(clause)


def limited(clause: str) -> bool:
    """Whether what the clause says holds for some cases or sides of the thing only (〜の場合は利用できません)."""
    return bool(_LIMITED.search(clause))


_TIME = (
    r"(?:(?:令和|平成|昭和)?(?:\d+|元)年(?:度)?(?:\d+月)?(?:\d+日)?|\d+月(?:\d+日)?|現在|現時点|現状|今のところ|いまのところ"
    r"|今|いま|当面|これまで|今後|将来|従来|以前|本年|今年度?|来年度?|昨年度?|当時)"
)
_GENERIC = (
    r"(?:サービス|制度|仕組み|しくみ|システム|運用|運営|提供|配信|導入|実施|取り?組み?|予定|計画|考え|後継|代わり|代替|これ|それ|こちら|そのような(?:もの)?"
    r"|こうした(?:もの)?|このような(?:もの)?|庁舎|本庁|市役所|役場|本市|当市|本町|当町|本村|当村|市|町|村|区|当課|本課|課|どの課|係|具体的|費用|効果|理由|必要(?:性)?"
    r"|利用|使用|対応|設置|開設|開始|公開|稼働|供用|お?取り?扱い?|方針|事業|アカウント|アプリ|ページ|サイト|もの|こと|ほか|他|予算|時期|状況|とおり|通り|担当|先行|他市|他の市|近くの町|様子|事例|例|専門|独自|専任|導入する|どうか|か)"
)
_TIME_PHRASE = re.compile(
    _TIME + r"(?:の)?(?:時点|ところ|段階|限り|末|中)?(?:は|では|で|に|も|をもって|までに|まで|から|以降|、)*"
)
_GENERIC_PHRASE = re.compile(_GENERIC + r"(?:として|について)?(?:は|では|が|を|も|の|に|で|と|、)+")
_CONTENT = re.compile(r"[一-龠々ァ-ヴーa-z0-9]{2,}(?:は|が|を|も|の|で|に|から|について)|[一-龠々](?:は|が|を)")


def elliptic(clause: str) -> bool:
    """Whether the clause names nothing of its own and so speaks of what stands before (現在は行っていません)."""
    reason, _, last = clause.rpartition("、")
    rest = _TIME_PHRASE.sub("", clause if "は" in reason else last)
    rest = _GENERIC_PHRASE.sub("", rest)
    return not _CONTENT.search(rest)
