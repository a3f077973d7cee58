import { RemovalPolicy } from "aws-cdk-lib";
import { Architecture, Runtime, RuntimeFamily } from "aws-cdk-lib/aws-lambda";
import type { TagwireProps } from "./props.ts";

/** Node.js 22 is the oldest that Lambda still makes functions of (nodejs20.x: until August 2026). */
const RUNTIME = /^nodejs(2[2-9]|[3-9]\d)\.x$/;

/** What each key of the context, without its `tagwire:`, makes of its text. */
const SWITCHES: Readonly<Record<string, (text: string) => TagwireProps>> = {
  endpoint: (endpoint) => ({ emulator: { endpoint } }),
  settings: (text) => ({ settings: json(text) }),
  removal: oneOf("tagwire:removal", {
    retain: { removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE },
    destroy: { removalPolicy: RemovalPolicy.DESTROY },
  }),
  reserve: oneOf("tagwire:reserve", {
    true: { reserveConcurrency: true },
    false: { reserveConcurrency: false },
  }),
  stage: (stageName) => ({ socket: { stageName } }),
  architecture: oneOf("tagwire:architecture", {
    arm64: { architecture: Architecture.ARM_64 },
    x86_64: { architecture: Architecture.X86_64 },
  }),
  runtime: (name) => {
    if (RUNTIME.test(name)) return { runtime: new Runtime(name, RuntimeFamily.NODEJS) };
    throw new Error(`tagwire:runtime must be nodejs22.x or later, got ${JSON.stringify(name)}`);
  },
};

/** The props of the stack by its context (cdk.json, or `-c tagwire:KEY=VALUE`). Throws where a key or a value is unknown. */
export function propsOf(context: Readonly<Record<string, unknown>>): TagwireProps {
  const ours = Object.entries(context).filter(([key]) => key.startsWith("tagwire:"));
  const parts = ours.map(([key, value]) => {
    const read = SWITCHES[key.slice("tagwire:".length)];
    if (!read) throw new Error(`there is no ${key}; there are ${KEYS}`);
    // cdk.json may hold values of other types than text.
    return read(typeof value === "string" ? value : JSON.stringify(value));
  });
  return Object.assign({}, ...parts);
}

const KEYS = Object.keys(SWITCHES)
  .map((key) => `tagwire:${key}`)
  .join(", ");

function oneOf(key: string, values: Readonly<Record<string, TagwireProps>>): (text: string) => TagwireProps {
  return (text) => {
    const props = values[text];
    if (props) return props;
    throw new Error(`${key} must be ${Object.keys(values).join(" or ")}, got ${JSON.stringify(text)}`);
  };
}

function json(text: string): NonNullable<TagwireProps["settings"]> {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`tagwire:settings must be JSON, got ${text}`, { cause });
  }
}
