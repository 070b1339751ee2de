// Ranks guides before the reference, and decisions last. Sphinx calls `score` for each result.
var Scorer = {
  score: ([docname, title, anchor, descr, score]) => {
    const places = [
      [/^adr\//, -60],
      [/^(api|reference)\//, -20],
      [/^(benchmarks|architecture|decisions|performance)$/, -10],
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
