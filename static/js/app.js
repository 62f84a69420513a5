// Everything a signed-in page needs. Each module registers what it is for when it is loaded.
import "./requests.js";
import "./shell.js";
import "./keyboard.js";
import "./elements/copy-button.js";
import "./elements/first-span.js";
import "./elements/json-view.js";
import "./elements/live-rows.js";
import "./elements/live-state.js";
import "./elements/live-trace.js";
import "./elements/local-time.js";
import "./elements/pop-over.js";
import "./elements/span-panel.js";
import "./elements/span-tree.js";
import "./elements/split-pane.js";
