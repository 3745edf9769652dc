// Without an answer htmx says nothing: tell the moderator beside the buttons.
document.addEventListener("htmx:error", (event) => {
  const item = event.target.closest?.("article");
  const place = item?.querySelector(".say") ?? document.getElementById("live");
  place.textContent = "No answer came. Please try again: what was decided already stays decided.";
});
