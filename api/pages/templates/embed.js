const tell = () => parent.postMessage({ type: "commitments-tracker:height", height: Math.ceil(document.body.getBoundingClientRect().height) }, "*");
new ResizeObserver(tell).observe(document.body);
addEventListener("load", tell);
