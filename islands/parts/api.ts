/** Asking the API from a page. */

/** What came of a request. */
export type Answer<Data> = { ok: true; data: Data } | { ok: false; status: number; reason: string };

/** Asks under `/api/v1`; `Data` is what the API's description promises. Never rejects: a network failure is status 0. */
export async function ask<Data = unknown>(method: string, path: string, body?: unknown): Promise<Answer<Data>> {
  try {
    const response = await fetch(`/api/v1${path}`, {
      method,
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const data = response.status === 204 ? null : await response.json();
    if (response.ok) return { ok: true, data };
    if (response.status === 401) location.reload(); // signed out meanwhile: the page leads to the sign-in
    return { ok: false, status: response.status, reason: data?.detail ?? response.statusText };
  } catch {
    return { ok: false, status: 0, reason: "" };
  }
}
