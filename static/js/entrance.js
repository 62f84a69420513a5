// The few elements of pages outside the shell: sign-in, sign-up, password reset.
import "./elements/copy-button.js";
import "./elements/local-time.js";
