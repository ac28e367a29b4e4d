// Browsers start no worker for pages that are opened as files, so the search runs in a frame of its own there.
if (location.protocol === "file:") {
  window.Worker = class FrameWorker extends EventTarget {
    #loaded;
    #frame;

    constructor(url) {
      super();
      this.#frame = document.createElement("iframe");
      this.#frame.hidden = true;
      document.documentElement.append(this.#frame);
      const inside = this.#frame.contentWindow;
      inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      const script = inside.document.createElement("script");
      this.#loaded = new Promise((done, failed) => {
        script.onload = done;
        script.onerror = failed;
      });
      script.src = new URL(url, document.baseURI);
      inside.document.head.append(script);
    }

    async postMessage(data) {
      await this.#loaded;
      this.#frame.contentWindow.dispatchEvent(new MessageEvent("message", { data }));
    }

    terminate() {
      this.#frame.remove();
    }
  };
}
