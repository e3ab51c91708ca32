// Numbers as the page shows them: short enough to compare, exact where somebody looks closer.

// From so many zeros after the point on, the zeros are counted: 0.00000885 is 0.0₅885.
const COUNTED_ZEROS = 4;
const LOWERED = "₀₁₂₃₄₅₆₇₈₉";

/** A decimal text with thousands grouped and a true minus; all its digits: "−90,679.068". */
function exact(text) {
  const [whole, fraction] = text.replace("-", "").split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return `${text.startsWith("-") ? "−" : ""}${grouped}${fraction ? `.${fraction}` : ""}`;
}

/**
 * A decimal text rounded for a column, in two parts that meet at the decimal point.
 * Six or seven digits tell enough of a price; two decimals are shown at least, and at most
 * `most` of a price above 1.
 */
function rounded(text, most = 5) {
  const value = Number(text);
  const size = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  if (size > 0 && size < 10 ** -COUNTED_ZEROS) {
    const [digits, exponent] = size.toExponential(2).split("e-");
    const zeros = [...String(exponent - 1)].map((digit) => LOWERED[digit]).join("");
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

/** A rounded decimal in one piece. */
function short(text) {
  return rounded(text).join(".");
}

/** A signed number with so many decimals, with a true minus: "−4,150.21"; zero has no sign. */
function signed(value, decimals) {
  const size = Math.abs(value).toLocaleString("en-US", {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
  const isZero = !/[1-9]/.test(size);
  return (isZero ? "" : value < 0 ? "−" : "+") + size;
}

/** A change in the digits that its price is shown with. */
function signedChange(change, price) {
  const size = Math.abs(Number(price));
  if (size < 0.01 && Number(change)) {
    return (Number(change) < 0 ? "−" : "+") + short(change.replace("-", ""));
  }
  return signed(Number(change), size >= 100_000 ? 0 : size >= 20 ? 2 : size >= 0.1 ? 4 : 6);
}

/** A large amount in few digits: "3.33 T", "34.5 M". */
function compact(value) {
  const text = Number(value).toLocaleString("en-US", {
    notation: "compact",
    maximumSignificantDigits: 4,
  });
  return text.replace(/[A-Z]$/, "\u00a0$&");
}
