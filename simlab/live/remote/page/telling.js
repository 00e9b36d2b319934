// What is told in words: tables, and the log.

// Fills the body of a table. Each cell knows the head of its column: where there is no room for columns, it shows it.
function fill(table, rows) {
  const heads = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim());
  table.tBodies[0].replaceChildren(...rows.map((values) => {
    const row = document.createElement("tr"), first = document.createElement("th");
    first.scope = "row";
    first.textContent = values[0];
    row.append(first);
    values.slice(1).forEach((value, index) => {
      const cell = row.insertCell();
      cell.textContent = value;
      cell.dataset.head = heads[index + 1];
      if (cell.dataset.head === "dropped") cell.className = "causes";
    });
    return row;
  }));
}

const inTable = {
  ms: (value_s) => value_s == null ? "–" : (value_s * 1000).toFixed(value_s < 0.01 ? 1 : 0),
  causes: (dropped, kernelDropped) => {
    const told = kernelDropped ? { ...dropped, "by the system": kernelDropped } : dropped;
    return Object.entries(told).map(([cause, count]) => `${cause} ${count}`).join(", ") || "none";
  },
};

// Says that something happened.
function tell(t_s, text) {
  const item = document.createElement("li"), time = document.createElement("time"), words = document.createElement("span");
  time.textContent = `${t_s.toFixed(1)} s`;
  words.textContent = text;
  item.append(time, words);
  $("log").prepend(item);
  while ($("log").children.length > 200) $("log").lastChild.remove();
}
