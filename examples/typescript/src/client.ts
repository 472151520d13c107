/** A typed client of postcode-service over fetch, for browsers and Node. */

/** The text of a name or code; null if the data does not have it. */
type Text = string | null;

/** A postcode. The server sends more keys than these. */
export interface Postcode {
  postcode: string;
  outcode: string;
  incode: string;
  quality: number | null;
  eastings: number | null;
  northings: number | null;
  longitude: number | null;
  latitude: number | null;
  country: Text;
  region: Text;
  admin_district: Text;
  admin_county: Text;
  admin_ward: Text;
  parish: Text;
  parliamentary_constituency: Text;
  lsoa: Text;
  msoa: Text;
  codes: Record<string, Text>;
  [key: string]: unknown;
}

/** A postcode near a point, with its distance in metres. */
export interface Neighbour extends Postcode {
  distance: number;
}

export type Status = "live" | "terminated" | "unknown" | "not_covered" | "invalid";

/** The answer to one postcode of many. */
export interface Answer {
  query: string;
  status: Status;
  result: Postcode | null;
}

/** Whether a text is a postcode in use, and if not, why. */
export interface Verdict {
  valid: boolean;
  status: Status;
  postcode: Text;
  reason?: string;
}

export interface Place {
  code: string;
  name_1: string;
  local_type: string;
  county_unitary: Text;
  country: Text;
  longitude: number | null;
  latitude: number | null;
  [key: string]: unknown;
}

/** An error of the server. `code` never changes for the same cause. */
export class PostcodeError extends Error {
  constructor(
    message: string,
    readonly status?: number,
    readonly code?: string,
    readonly retryable = false,
  ) {
    super(message);
    this.name = "PostcodeError";
  }
}

export interface Options {
  /** Sent as a bearer token. */
  token?: string;
  /** Milliseconds until a request is given up. */
  timeout?: number;
  /** Another fetch, for tests. */
  fetch?: typeof fetch;
}

/** What a server takes in one request, unless its operator allows more. */
const BATCH = 100;

type Query = Record<string, string | number | undefined>;

export class Client {
  readonly #url: string;
  readonly #options: Options;

  constructor(url: string, options: Options = {}) {
    this.#url = url.replace(/\/+$/, "");
    this.#options = options;
  }

  /** The postcode, or null if it is not in use. A text that is not a postcode is an error with the reason. */
  async lookup(postcode: string, signal?: AbortSignal): Promise<Postcode | null> {
    try {
      return await this.#get<Postcode>(`/postcodes/${encodeURIComponent(postcode)}`, { extended: "true" }, signal);
    } catch (error) {
      if (error instanceof PostcodeError && error.code === "postcode_not_found") return null;
      throw error;
    }
  }

  /** Any number of postcodes, a hundred a request. The answers come in their order. */
  async lookupMany(postcodes: readonly string[], signal?: AbortSignal): Promise<Answer[]> {
    const answers: Answer[] = [];
    for (let at = 0; at < postcodes.length; at += BATCH) {
      const body = JSON.stringify({ postcodes: postcodes.slice(at, at + BATCH) });
      answers.push(...(await this.#send<Answer[]>("/postcodes", { extended: "true" }, signal, body)));
    }
    return answers;
  }

  /** Whether a text is a postcode in use. The reason says what was probably meant. */
  validate(text: string, signal?: AbortSignal): Promise<Verdict> {
    return this.#get(`/postcodes/${encodeURIComponent(text)}/validate`, { extended: "true" }, signal);
  }

  /** Live postcodes that begin with a text, in order. */
  async complete(beginning: string, limit = 10, signal?: AbortSignal): Promise<string[]> {
    const path = `/postcodes/${encodeURIComponent(beginning)}/autocomplete`;
    return (await this.#get<string[] | null>(path, { order: "prefix", limit }, signal)) ?? [];
  }

  /** The live postcodes around one. */
  async nearest(postcode: string, radius = 500, limit = 10, signal?: AbortSignal): Promise<Neighbour[]> {
    const path = `/postcodes/${encodeURIComponent(postcode)}/nearest`;
    return (await this.#get<Neighbour[] | null>(path, { extended: "true", radius, limit }, signal)) ?? [];
  }

  /** The live postcodes around a point. */
  async nearestTo(
    latitude: number,
    longitude: number,
    radius = 500,
    limit = 10,
    signal?: AbortSignal,
  ): Promise<Neighbour[]> {
    const query = { lat: latitude, lon: longitude, extended: "true", radius, limit };
    return (await this.#get<Neighbour[] | null>("/postcodes", query, signal)) ?? [];
  }

  /** Places by their name, if the server's data has any. */
  async places(text: string, limit = 10, signal?: AbortSignal): Promise<Place[]> {
    const found = await this.#get<{ place: Place }[]>("/find/places", { q: text, limit }, signal);
    return found.map(({ place }) => place);
  }

  #get<T>(path: string, query: Query, signal?: AbortSignal): Promise<T> {
    return this.#send(path, query, signal);
  }

  async #send<T>(path: string, query: Query, signal?: AbortSignal, body?: string): Promise<T> {
    const given = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value));
    const headers: Record<string, string> = {};
    if (this.#options.token) headers.Authorization = `Bearer ${this.#options.token}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const late = AbortSignal.timeout(this.#options.timeout ?? 30_000);
    const init: RequestInit = { headers, signal: signal ? AbortSignal.any([signal, late]) : late };
    if (body !== undefined) Object.assign(init, { method: "POST", body });
    let response: Response;
    try {
      response = await (this.#options.fetch ?? fetch)(`${this.#url}${path}?${given}`, init);
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new PostcodeError(`${this.#url} does not answer: ${error}`, undefined, undefined, true);
    }
    const answer = (await response.json().catch(() => ({}))) as {
      result?: T;
      error?: string;
      advice?: string;
      code?: string;
      retryable?: boolean;
    };
    if (!response.ok || answer.result === undefined) {
      const message = answer.error ?? `the server answered ${response.status}`;
      const advice = answer.advice ? `: ${answer.advice}` : "";
      throw new PostcodeError(message + advice, response.status, answer.code, answer.retryable ?? false);
    }
    return answer.result;
  }
}
