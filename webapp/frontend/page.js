// What every page has: shortcuts, one sending per form, the card without a connection, no forgotten texts, long lists
// of choices that can be narrowed.

import { narrowWhenTyped } from "./choices.js";
import { listenToKeys } from "./keys.js";
import { drawWhenSeen } from "./late.js";
import { tidyLeftovers } from "./leftovers.js";
import { prepareOffline } from "./offline.js";
import { followProgress } from "./progress.js";
import { sendOnce } from "./once.js";

listenToKeys();
sendOnce();
prepareOffline();
tidyLeftovers();
drawWhenSeen();
followProgress();
narrowWhenTyped();
