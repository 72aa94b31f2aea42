"""Invented sentences for each criterion of osi-2026: what proves it, what denies it, what only sounds like it."""

# One case a line reads better than a folded one.
# ruff: noqa: E501
# fmt: off

from __future__ import annotations

import json
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from make_pages import snapshot
from tests_support import page_of

from pipeline import criteria, demo
from pipeline.extract import extract
from pipeline.judge.rules import RulesJudge
from pipeline.models import Municipality, Page, SettledBy
from pipeline.settings import bundled

CITY = Municipality(code="999991", name="青空市", prefecture="霞県")
SET = criteria.load("osi-2026")
LABELS = Path(__file__).parent.parent / "evals" / "labels" / "osi-2026" / "demo" / "labels.jsonl"

# (criterion, verdict, title of the page, lines)
CASES = [
    ("framework-01", "met", "各課の仕事", ["各課の仕事 > 総務課 = 条例、選挙、職員の給与", "各課の仕事 > 市民課 = 戸籍、住民登録"]),
    ("framework-01", "no_evidence", "市民課", ["戸籍と住民登録の受付は市民課で行います。"]),
    ("framework-02", "met", "", ["青空市では、令和6年3月に「青空市DX推進計画」を策定しました。"]),
    ("framework-02", "not_met", "", ["市独自のデジタル化の計画は、まだ策定していません。"]),
    ("framework-02", "no_evidence", "", ["霞県は「霞県デジタル戦略」を策定しました。"]),
    ("framework-03", "met", "", ["副市長を最高情報統括責任者(CIO)とし、DX推進本部を設置しています。"]),
    ("framework-03", "no_evidence", "", ["株式会社ホシノ設備のデジタル推進課が工事を担当します。"]),
    ("framework-04", "met", "サイトポリシー", ["青空市のホームページを通じて集めた個人情報は、お知らせした利用目的以外には使いません。"]),
    ("framework-04", "no_evidence", "個人情報保護条例", ["個人情報保護条例の改正についてお知らせします。"]),
    ("framework-05", "met", "情報公開", ["公文書の公開は、どなたでも請求できます。総務課の窓口へ請求書を出してください。"]),
    ("framework-05", "no_evidence", "情報公開", ["情報公開審査会の委員が決まりました。"]),
    ("framework-06", "met", "", ["市は情報セキュリティ基本方針を定めています。"]),
    ("framework-06", "no_evidence", "", ["サポート詐欺にご注意ください。セキュリティ対策ソフトを入れましょう。"]),
    ("content-01", "met", "令和8年度予算", ["一般会計の当初予算は、212億円です。"]),
    ("content-01", "no_evidence", "補助金", ["予算の範囲内で、1件につき10万円を補助します。"]),
    ("content-02", "met", "入札の結果", ["入札の結果 > 落札金額 = 12,300,000円"]),
    ("content-02", "no_evidence", "入札の公告", ["市道の工事の入札を12月3日に行います。"]),
    ("content-03", "met", "避難所一覧", ["避難所一覧 > 東小学校 = 東町3丁目"]),
    ("content-03", "met", "防災", ["市は洪水ハザードマップを作成しました。各戸に配っています。"]),
    ("content-03", "no_evidence", "防災訓練", ["避難所を開く訓練を中央小学校で行います。"]),
    ("content-04", "met", "健診", ["40歳から74歳の方を対象に、特定健診を実施しています。"]),
    ("content-04", "no_evidence", "犬の登録", ["犬の予防接種は動物病院で受けてください。"]),
    ("content-05", "met", "ごみの出し方", ["ごみの出し方 > 燃やすごみ = 週2回(月・木曜日)に収集します"]),
    ("content-05", "no_evidence", "海岸清掃", ["海岸のごみを拾う清掃を第1土曜日に行います。"]),
    ("content-06", "met", "職員採用試験", ["受験案内は総務課で配っています。"]),
    ("content-06", "no_evidence", "企業説明会", ["市内の企業の採用説明会を開きます。受付は1階です。"]),
    ("content-07", "met", "市の概要", ["市の概要 > 人口 = 58,214人"]),
    ("content-07", "no_evidence", "図書館", ["昨年度の入館者は12,345人でした。"]),
    ("content-08", "met", "", ["市が持つデータをオープンデータとして公開しています。"]),
    ("content-08", "not_met", "", ["オープンデータの公開は、まだ行っていません。"]),
    ("content-08", "no_evidence", "", ["国が公開しているオープンデータを紹介します。"]),
    ("content-10", "met", "Living guide", ["Put burnable garbage out by 8 a.m. at the collection point."]),
    ("content-10", "met", "", ["ごみの出し方の冊子を、英語版とベトナム語版でも作成しました。"]),
    ("content-10", "no_evidence", "", ["英語で話す講座の参加者を募集します。"]),
    ("service-01", "met", "", ["住民票の写しは、電子申請サービスから請求できます。"]),
    ("service-01", "not_met", "", ["住民票の写しを、インターネットから請求することはできません。"]),
    ("service-01", "no_evidence", "", ["住民票の写しの請求書の様式は、ホームページからダウンロードできます。"]),
    ("service-01", "no_evidence", "", ["住民票の写しは、コンビニエンスストアの端末で取れます。"]),
    ("service-02", "met", "市税の納付", ["市税は、スマートフォン決済アプリで納付できます。"]),
    ("service-02", "no_evidence", "県税", ["県税の自動車税はクレジットカードで納付できます。"]),
    ("service-03", "met", "", ["転出届は、マイナポータルからオンラインで提出できます。"]),
    ("service-03", "not_met", "", ["転出届をオンラインで届け出ることはできません。"]),
    ("service-03", "no_evidence", "", ["引っ越しのときは、水道の使用開始をインターネットで申し込めます。"]),
    ("service-04", "met", "", ["体育館や公民館は、インターネットの公共施設予約システムから予約できます。"]),
    ("service-04", "not_met", "", ["体育館の予約は電話か窓口で受け付けており、インターネットでの予約はできません。"]),
    ("service-04", "no_evidence", "健診", ["健診はインターネットで予約できます。会場は公民館です。"]),
    ("service-05", "met", "", ["電子申請サービスで、各種手続きを24時間受け付けています。"]),
    ("service-05", "no_evidence", "", ["スマート申請は、住民票の証明書を請求できる仕組みです。"]),
    ("service-06", "met", "", ["児童手当の認定請求は、マイナポータルから申請できます。"]),
    ("service-06", "not_met", "", ["保育所の入所の申し込みは、オンラインでは受け付けていません。"]),
    ("service-06", "no_evidence", "", ["保育所の見学はインターネットで申し込めます。"]),
    ("service-07", "met", "", ["道路の破損を見つけたら、市の公式LINEから写真を添えて通報できます。"]),
    ("service-07", "no_evidence", "", ["道路の破損を見つけたら、土木課へ電話でお知らせください。"]),
    ("service-08", "met", "", ["市の工事の入札は、電子入札システムで行っています。"]),
    ("service-08", "not_met", "", ["電子入札は、まだ導入していません。"]),
    ("service-08", "no_evidence", "", ["入札書は封をして持参してください。"]),
    ("service-09", "met", "図書館の利用案内", ["図書館のホームページから、本の予約と貸出の延長ができます。"]),
    ("service-09", "no_evidence", "図書館の利用案内", ["おはなし会の予約はインターネットでできます。"]),
    ("service-10", "met", "", ["電子申請では、マイナンバーカードをスマートフォンで読み取って本人確認を行います。"]),
    ("service-10", "no_evidence", "", ["窓口でマイナンバーカードを見せて本人確認を受けてください。"]),
    ("voice-01", "met", "", ["第6次総合計画(案)に対するご意見を、11月1日から30日まで募集しました。"]),
    ("voice-01", "no_evidence", "", ["国がパブリックコメントを募集しています。"]),
    ("voice-02", "met", "市長への手紙", ["市政へのご意見は、入力フォームから送ってください。"]),
    ("voice-02", "no_evidence", "市民の声", ["ご意見は、用紙か郵便、ファクスでお寄せください。"]),
    ("voice-02", "no_evidence", "総合計画(素案)への意見募集", ["ご意見は、電子メールで提出してください。"]),
    ("voice-03", "met", "市民の声", ["いただいたご意見と市の回答を公表しています。"]),
    ("voice-03", "no_evidence", "市民の声", ["ご意見への回答は公表しません。"]),
    ("voice-03", "no_evidence", "総合計画(素案)への意見募集", ["ご意見と市の考え方を公表しました。"]),
    ("voice-05", "met", "市議会", ["本会議の録画映像をインターネットで配信しています。"]),
    ("voice-05", "no_evidence", "市議会", ["12月定例会は12月3日に開会します。傍聴は当日受け付けます。"]),
    ("voice-06", "met", "", ["市民アンケートには、インターネットでも回答できます。"]),
    ("voice-06", "no_evidence", "", ["講座のアンケートに、スマートフォンで答えてください。"]),
    ("voice-07", "met", "", ["総合計画審議会の市民委員を募集しています。"]),
    ("voice-07", "no_evidence", "", ["農業委員を募集しています。"]),
    ("technology-01", "met", "", ["JIS X 8341-3:2016の適合レベルAAに準拠することを目標としています。"]),
    ("technology-01", "no_evidence", "", ["文字の大きさは、お使いのブラウザで変えられます。"]),
    ("technology-02", "met", "", ["広報紙の点字版を作成し、ご希望の方に郵送しています。"]),
    ("technology-02", "no_evidence", "", ["点字を学ぶ講座を開きます。"]),
    ("technology-04", "met", "よくある質問", ["暮らしの質問とその答えをまとめています。"]),
    ("technology-04", "no_evidence", "予防接種", ["質問のある方は、窓口で答えをお聞きください。"]),
    ("technology-05", "met", "", ["登録した方に、避難情報や不審者の情報をメールで配信しています。"]),
    ("technology-05", "no_evidence", "", ["避難情報は屋外の拡声器でお知らせします。"]),
    ("technology-06", "met", "", ["市役所と図書館では、無料の公衆無線LANを利用できます。"]),
    ("technology-06", "no_evidence", "", ["小学校の教室に児童用のWi-Fiを整備しました。"]),
    ("technology-06", "no_evidence", "コワーキングスペース", ["民間の仕事場で、Wi-Fiを利用できます。"]),
    ("technology-07", "met", "", ["市役所の手続きについての質問に、AIチャットボットが24時間お答えしています。"]),
    ("technology-07", "not_met", "", ["チャットボットは、令和8年3月31日で終了しました。"]),
    ("technology-07", "no_evidence", "", ["霞県のチャットボットが県の手続きの質問にお答えします。"]),
]


@pytest.mark.parametrize(("criterion", "verdict", "title", "lines"), CASES, ids=[f"{one[0]}-{one[1]}-{one[3][0][:14]}" for one in CASES])
def test_a_sentence_of_a_criterion(criterion: str, verdict: str, title: str, lines: list[str]) -> None:
    page = page_of(*lines, title=title)
    said = RulesJudge(CITY, date(2026, 11, 20)).judge(SET.criterion(criterion), {page.sha256: page}, ())
    assert said.verdict.value == verdict, said


def test_every_criterion_that_text_settles_has_its_cases() -> None:
    asked = {one.id for one in SET.criteria if one.settled_by is SettledBy.TEXT}
    assert {one[0] for one in CASES if one[1] == "met"} == asked
    assert {one[0] for one in CASES if one[1] != "met"} == asked


def test_the_labels_of_the_demo_are_whole_and_quote_its_pages() -> None:
    labels = [json.loads(line) for line in LABELS.read_text("utf-8").splitlines()]
    assert [label["criterion"] for label in labels] == [one.id for one in SET.criteria]
    for label in labels:
        assert bool(label["evidence"]) == (label["verdict"] in ("met", "not_met")), label["criterion"]
        assert bool(label["trap"]) == label["hard"]
        for one in label["evidence"]:
            page = _page(one["path"])
            said = [link.label for link in page.links] if "href" in one else [page.text]
            assert any(_bare(one["quote"]) in _bare(text) for text in said), (label["criterion"], one["quote"])


def _bare(text: str) -> str:
    return "".join(text.split())


@cache
def _page(path: str) -> Page:
    body = (demo.SITE / path.lstrip("/")).read_bytes()
    media = "application/pdf" if path.endswith(".pdf") else "text/html"
    read = extract(snapshot(body, url=f"http://demo.example{path}", content_type=media), body)
    assert isinstance(read, Page)
    return read


def test_it_says_that_it_is_not_the_losi() -> None:
    head = (bundled("criteria") / "osi-2026.yaml").read_text("utf-8").partition("\nid:")[0]
    assert "not\n# the LOSI" in head or "it is not the LOSI" in head.replace("\n# ", " ")


def test_the_two_shipped_sets_share_no_id_and_no_viewpoint() -> None:
    other = criteria.load("dx-2024")
    assert not {one.id for one in SET.criteria} & {one.id for one in other.criteria}
    assert not {one.id for one in SET.viewpoints} & {one.id for one in other.viewpoints}
    assert (len(SET.criteria), len(SET.viewpoints)) == (40, 5)
