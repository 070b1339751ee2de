// Ranks guides before the reference, the reference before the changelog, and decisions last; the very name of an object is first.
// Sphinx calls `score` for each result.
var Scorer = {
  score: ([docname, title, anchor, descr, score]) => {
    const query = new URLSearchParams(window.location.search).get("q");
    if (query && title.toLowerCase() === query.trim().replace(/\(\)$/, "").toLowerCase()) return score + 100;
    const places = [
      [/^adr\//, -60],
      [/^(benchmarks|architecture|decisions|changelog)$/, -25],
      [/^(api|reference)\//, -20],
    ];
    const bonus = places.find(([pattern]) => pattern.test(docname));
    return score + (bonus ? bonus[1] : 20);
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
