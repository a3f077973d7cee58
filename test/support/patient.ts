import type { SettingsOverrides } from "../../shared/settings/schema.ts";

/**
 * Settings for a test that counts each frame once: a frame or a write that a busy machine makes late would count as
 * failed, and be made again.
 */
const PATIENT = {
  sendTimeoutMilliseconds: 20_000,
  reserveMilliseconds: 40_000,
  functions: {
    ingest: { timeoutSeconds: 30 },
    receipts: { timeoutSeconds: 30 },
    socket: { timeoutSeconds: 29 },
  },
} satisfies SettingsOverrides["advanced"];

/** The settings, patient where they say nothing else. */
export const patient = ({ advanced, ...settings }: SettingsOverrides = {}): SettingsOverrides => ({
  ...settings,
  advanced: { ...PATIENT, ...advanced, functions: { ...PATIENT.functions, ...advanced?.functions } },
});
