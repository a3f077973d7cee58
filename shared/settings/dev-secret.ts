/** Signs the tokens of a local router. Everybody knows it, so a deployed router never trusts it. */
export const DEV_SECRET = "tagwire-development-secret-do-not-use-in-an-account";
