package symbol

const archHere = ArchI386

var numbersHere = numbersI386
