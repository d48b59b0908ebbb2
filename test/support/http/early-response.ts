/*
 * A handler of Requests that sends the head of its Response before it has ended: its body is a
 * stream, which gets what the handler returns.
 */
export async function answerEarly(
  work: (sendHead: () => void) => Promise<unknown>,
  respond: (body: ReadableStream | string) => Response,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    let stream: ReadableStreamDefaultController | undefined;
    const sendHead = () => {
      const body = new ReadableStream({
        start(controller) {
          stream = controller;
        },
      });
      resolve(respond(body));
    };
    work(sendHead)
      .then((value) => {
        const text = JSON.stringify({ value });
        if (!stream) return resolve(respond(text));
        stream.enqueue(new TextEncoder().encode(text));
        stream.close();
      })
      .catch(reject);
  });
}
