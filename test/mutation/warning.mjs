/**
 * Leaves out what a warning in the log says: nothing but a person reads it, so no test does more than see that it is
 * there. The names of metrics, which alarms and dashboards read, are mutated.
 */
const warning = {
  shouldIgnore(path) {
    const callee = path.isCallExpression() ? path.node.callee : undefined;
    const isWarning = callee?.type === "MemberExpression" && callee.property.name === "warn";
    return isWarning ? "the text of a warning in the log" : undefined;
  },
};

export const strykerPlugins = [{ kind: "Ignore", name: "warning", value: warning }];
