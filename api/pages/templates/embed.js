const tell = () => parent.postMessage({ type: "commitments-tracker:height", height: document.documentElement.scrollHeight }, "*");
new ResizeObserver(tell).observe(document.body);
addEventListener("load", tell);
