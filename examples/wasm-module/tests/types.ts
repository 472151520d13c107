// Compiled and not run: what a user writes has the types of postcode.d.ts.
import { check, find, formatAddress, readAddress, repair, type Found } from "./postcode.js";

const answer = check("SW1A 1AA");
export const said: string = answer.valid ? answer.outcode : answer.suggestion ?? answer.message;
export const starts: number[] = find("SW1A 1AA", { everything: true }).map((found: Found) => found.start);
export const lines: string[] = formatAddress(readAddress("1 High Street"), "dvla").lines;
export const changed: number | undefined = repair("SWIA 1AA")?.changes.length;
// @ts-expect-error a style has to be one that exists
formatAddress({}, "none");
// @ts-expect-error a text that is not valid has no parts
check("").outcode;
