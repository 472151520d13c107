/** Returns whether a text is a postcode in any usual spelling. It need not be in use: only a lookup knows that. */
export function isPostcode(text: string): boolean;

/** Returns a postcode in its usual spelling (`"sw1a1aa"` gives `"SW1A 1AA"`), or `null` if the text is not one. */
export function formatPostcode(text: string): string | null;

/** Returns the parts of a postcode, or what is wrong with the text, where, and what was probably meant. */
export function check(text: string): Valid | Invalid;

/** Returns the postcode that was probably meant, if only one reading makes sense. `changes` is empty if the text is one. */
export function repair(text: string): Repair | null;

/** Returns the postal code that a text is, whole or in part. `null` if it is not one. */
export function identify(text: string): Code | null;

/** Returns the postcodes in any text, from left to right. `everything`: parts of postcodes and other codes too. */
export function find(text: string, options?: { everything?: boolean }): Found[];

/**
 * Returns an address as it is written on an envelope.
 * @throws TypeError with the reason, if an element or the style is invalid.
 */
export function formatAddress(elements: Elements, style?: Style): Lines;

/**
 * Returns an address on at most `most` lines. In the style `guide` these include post town and postcode.
 * @throws TypeError with the reason, if an element or the style is invalid.
 */
export function addressLines(elements: Elements, most: number, style?: Style): string[];

/** Returns the elements of an address on lines, or on one line with commas, by the words that British addresses have. */
export function readAddress(text: string): Elements;

/** `SW1A 1AA` and its parts. */
export interface Valid {
  valid: true;
  /** `SW1A 1AA` */
  postcode: string;
  /** `SW1A` */
  outcode: string;
  /** `1AA` */
  incode: string;
  /** `SW1A 1` */
  sector: string;
  /** `AA` */
  unit: string;
  /** `SW` */
  area: string;
  /** `South West London`, or `null` if no area in use has these letters. */
  area_name: string | null;
  /** `SW1` */
  district: string;
  /** `SW1A`, or `null` for an outcode such as `M1`. */
  sub_district: string | null;
}

/** Why a text is not a postcode. */
export interface Invalid {
  valid: false;
  reason: Reason;
  /** A sentence for a person, without the text itself. It includes the suggestion. */
  message: string;
  /** The index of the wrong character in the text, the end if something is missing, or 0 for the whole text. */
  at: number;
  found: string | null;
  suggestion: string | null;
  /** The code that the text is instead, such as an outcode. */
  other: Code | null;
}

export type Reason =
  | "empty"
  | "too_short"
  | "last_letter_missing"
  | "too_long"
  | "character"
  | "digit_expected"
  | "letter_expected"
  | "unused_letter"
  | "unrecognised"
  | "other_kind";

export interface Repair {
  postcode: string;
  /** The characters that were read as others, with their index in the text. */
  changes: { at: number; from: string; to: string }[];
}

export interface Code {
  kind: "postcode" | "outcode" | "sector" | "area" | "bfpo" | "territory";
  /** The usual spelling. */
  code: string;
  /** The overseas territory or Crown dependency that it belongs to. */
  territory: string | null;
}

export interface Found extends Code {
  /** The index of the first character. */
  start: number;
  /** The index behind the last character. */
  end: number;
}

/** Royal Mail's Programmers' Guide, the three lines of Ideal Postcodes, or the five lines of the DVLA. */
export type Style = "guide" | "ideal" | "dvla";

/** The elements of an address, as address services and files name them. All may be missing. */
export interface Elements {
  organisation_name?: string | null;
  department_name?: string | null;
  po_box?: string | number | null;
  sub_building_name?: string | null;
  building_name?: string | null;
  building_number?: string | number | null;
  dependent_thoroughfare?: string | null;
  thoroughfare?: string | null;
  double_dependent_locality?: string | null;
  dependent_locality?: string | null;
  post_town?: string | null;
  postcode?: string | null;
}

export interface Lines {
  /** The lines above the post town. */
  lines: string[];
  post_town: string;
  postcode: string;
  /** Sub-building, building name and number, or the PO Box. */
  premise: string;
  number: string;
  unit: string;
  /** Everything, with commas. */
  single_line: string;
  /** Everything but the postcode, with commas. */
  label: string;
}
