"use strict";
(() => {
  const form = document.querySelector(".search");
  const typed = form.querySelector("input");
  const told = form.querySelector(".found");
  const regions = [...document.querySelectorAll(".region")];
  const towns = [...document.querySelectorAll(".towns li")];
  const RESPELLED = [
    ["cch", "tch"], ["shi", "si"], ["sh", "sy"], ["chi", "ti"], ["ch", "ty"], ["cy", "ty"], ["tsu", "tu"], ["dz", "z"],
    ["ji", "zi"], ["jy", "zy"], ["j", "zy"], ["di", "zi"], ["du", "zu"], ["dy", "zy"], ["f", "h"], ["mb", "nb"],
    ["mm", "nm"], ["mp", "np"], ["nn", "n"],
  ];
  const KINDS = new Set(["city", "town", "village", "ward"]);

  const folded = (letters) => {
    for (const [written, key] of RESPELLED) letters = letters.replaceAll(written, key);
    return letters.replace(/oh(?![aiueoy])/g, "oo").replace(/o[ou]+|u{2,}|a{2,}|i{2,}|e{2,}/g, (long) => long[0]);
  };
  const plain = (word) => word.normalize("NFKD").toLowerCase()
    .replace(/([aiueo])[\u0302\u0304]/g, "$1$1").replace(/[\u0300-\u036f]/g, "").replace(/[.,'’‘ʼ`\u2010-\u2015\u2212_/-]/g, "");
  const kana = (word) => word.normalize("NFKC").toLowerCase()
    .replace(/[ァ-ヶ]/g, (one) => String.fromCharCode(one.charCodeAt(0) - 0x60));
  const test = (word) => {
    const letters = plain(word);
    if (!/^[a-z]+$/.test(letters)) return (town) => town.dataset.search.includes(kana(word));
    const begun = folded(letters.replace(/(?:cch|ch|sh|ts|dz|[cjf])$/, ""));
    return (town) => town.dataset.romaji.includes(begun) || town.dataset.search.includes(letters);
  };
  const search = () => {
    const words = typed.value.split(/[\s\u3000、,・]+/).filter((word) => word && !KINDS.has(word.toLowerCase()));
    const tests = words.map(test);
    let count = 0;
    for (const town of towns) {
      town.hidden = !tests.every((one) => one(town));
      count += town.hidden ? 0 : 1;
    }
    for (const region of regions) region.hidden = !region.querySelector("li:not([hidden])");
    told.textContent = count ? told.dataset.all.replace("{}", String(count)) : told.dataset.none;
  };
  form.addEventListener("submit", (event) => event.preventDefault());
  typed.addEventListener("input", search);
  form.hidden = false;
  search();
})();
