// "Predict first" asks what a call will do, at the step at which it begins, and keeps the score.
// The choices come with the step, from the code that asks at a terminal.

const answers = new Map(); // by step, the place of the first choice that was made
const judged = new Set(); // the steps whose answers were

// answered is the step, if it has an answer, whose question another step, or itself, decides.
function answered(number) {
  return [...answers.keys()].find((step) => run.steps[step - 1].question.judged === number);
}

// asks reports whether the step that is shown has a question that is to be answered.
function asks() {
  return hidden && run.steps[at - 1].question !== undefined;
}

// answer takes a choice, and shows the result.
function answer(place) {
  if (!asks() || place >= run.steps[at - 1].question.choices.length) return;
  if (!answers.has(at)) answers.set(at, place);
  reveal();
}

// showQuestion shows the choices or, where it is seen, whether the one that was made was right.
function showQuestion() {
  const { question } = run.steps[at - 1], step = hidden ? undefined : answered(at);
  byID("choices").replaceChildren(...(asks() ? question.choices : []).map((text, place) => {
    const item = element("li");
    const button = element("button", "", "abcd"[place] + "  " + text);
    button.type = "button";
    button.addEventListener("click", () => answer(place));
    item.append(button);
    return item;
  }));
  if (step !== undefined) judged.add(step);
  byID("verdict").textContent = step === undefined ? "" : verdictOf(run.steps[step - 1].question, answers.get(step));
  showScore();
}

function verdictOf(question, place) {
  return (place === question.right ? "right" : "wrong") + " · you: " + question.choices[place] +
    " · the kernel: " + question.choices[question.right];
}

// showScore says how many answers were right and, at the last step, what to look at again.
function showScore() {
  const wrong = [...answers].filter(([step, place]) => judged.has(step) && place !== run.steps[step - 1].question.right);
  byID("score").replaceChildren(judged.size === 0 ? "" : judged.size - wrong.length + " of " + judged.size + " right");
  if (at < run.steps.length || hidden || wrong.length === 0) return;
  byID("score").append("; look again at: ");
  wrong.sort(([x], [y]) => x - y).forEach(([step], i) => {
    const calls = run.steps[step - 1].events.filter((event) => event.call);
    const link = element("a", "", "step " + step + ", " + questionOf(calls).replace(/ = \?$/, "").replace(/, .*/, ", …"));
    link.href = addressOf(step);
    byID("score").append(i > 0 ? "; " : "", link);
  });
}
