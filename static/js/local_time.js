// Times are written in UTC by the server and shown in the shopper's own zone here.

/** @param {ParentNode} root */
export function showLocalTimes(root) {
  const format = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.getAttribute("datetime") ?? "");
    if (!Number.isNaN(moment.getTime())) time.textContent = format.format(moment);
  }
}
