package spell

const archHere = archI386

var numbersHere = numbersI386
