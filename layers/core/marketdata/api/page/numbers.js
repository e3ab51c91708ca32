// Numbers as texts: rounded for columns, exact for titles and details.

// From this many zeros after the point on, a subscript counts the zeros: 0.00000885 is 0.0₅885.
const COUNTED_ZEROS = 4;
const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉";

/** A decimal text with all its digits, grouped thousands and a minus sign: "−90,679.068". */
function exact(text) {
  const [whole, fraction] = text.replace("-", "").split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return `${text.startsWith("-") ? "−" : ""}${grouped}${fraction ? `.${fraction}` : ""}`;
}

/**
 * A decimal text rounded for a column: the parts before and after the decimal point.
 * The second part has at least two digits, and at most `most` digits for a price of 1 or more.
 */
function rounded(text, most = 5) {
  const value = Number(text);
  const size = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  if (size > 0 && size < 10 ** -COUNTED_ZEROS) {
    const [digits, exponent] = size.toExponential(2).split("e-");
    const zeros = [...String(exponent - 1)].map((digit) => SUBSCRIPTS[digit]).join("");
    return [`${sign}0`, `0${zeros}${digits.replace(".", "").replace(/0+$/, "")}`];
  }
  const places = size >= 1000 ? 2 : size >= 10 ? 3 : size >= 0.001 ? 5 : 7;
  const shown = size.toFixed(size >= 1 ? Math.min(most, places) : places);
  const [whole, fraction] = shown.split(".");
  return [
    sign + whole.replace(/\B(?=(\d{3})+$)/g, ","),
    fraction.replace(/0+$/, "").padEnd(2, "0"),
  ];
}

/** A rounded decimal as one text. */
function short(text) {
  return rounded(text).join(".");
}

/** A number with its sign and a fixed count of decimals: "−4,150.21". Zero has no sign. */
function signed(value, decimals) {
  const size = Math.abs(value).toLocaleString("en-US", {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
  const isZero = !/[1-9]/.test(size);
  return (isZero ? "" : value < 0 ? "−" : "+") + size;
}

/** A change with its sign, and with decimals that suit the size of its price. */
function signedChange(change, price) {
  const size = Math.abs(Number(price));
  if (size < 0.01 && Number(change)) {
    return (Number(change) < 0 ? "−" : "+") + short(change.replace("-", ""));
  }
  return signed(Number(change), size >= 100_000 ? 0 : size >= 20 ? 2 : size >= 0.1 ? 4 : 6);
}

/** A large amount with at most four digits: "3.33 T", "34.5 M". */
function compact(value) {
  const text = Number(value).toLocaleString("en-US", {
    notation: "compact",
    maximumSignificantDigits: 4,
  });
  return text.replace(/[A-Z]$/, "\u00a0$&");
}
