import { median } from "../../measure.ts";
import { type Cell, type Invariant, shown } from "../../report.ts";
import type { PeersResults } from "../run.ts";
import { VARIANTS } from "../variants.ts";

/** The row that ratios are to. */
export const BASE = "socket.io";

export const isOurs = (name: string): boolean =>
  VARIANTS.some((variant) => variant.name === name && variant.isTagwire);

/** How many times the base a server reached: the median over the rounds, each compared within itself. NaN if either is missing. */
export function ratioTo(
  values: readonly { readonly variant: string; readonly round: number; readonly value: number }[],
  variant: string,
  base: string,
): number {
  const of = (name: string, round: number) =>
    values.find((each) => each.variant === name && each.round === round)?.value ?? Number.NaN;
  const rounds = [...new Set(values.filter((each) => each.variant === variant).map(({ round }) => round))];
  return median(
    rounds.map((round) => of(variant, round) / of(base, round)).filter((ratio) => !Number.isNaN(ratio)),
  );
}

/** A number with its unit's share of something, or a dash if it was not measured. */
export const cell = (value: number | undefined): Cell =>
  value === undefined || Number.isNaN(value) ? "–" : value;

export const withRatio = (value: number | undefined, ratio: number): Cell =>
  value === undefined || Number.isNaN(value)
    ? "–"
    : `${shown(value)} (${Number.isNaN(ratio) ? "–" : ratio.toFixed(2)})`;

/** An invariant about a number that this run has, none about one that it has not. */
export const ifMeasured = (what: string, got: number, wants: Invariant["wants"]): Invariant[] =>
  Number.isNaN(got) ? [] : [{ what, got, wants }];

interface Measured {
  readonly variant: string;
  readonly repeats?: number;
  readonly fault?: string;
}

/** No row may hide a frame that was lost, or one that came again. */
export function faultsOf(
  results: PeersResults,
  part: string,
  measured: readonly (Measured & { readonly at: string })[],
) {
  const label = (name: string) => results.rows.find((row) => row.name === name)?.label ?? name;
  const faults = [
    ...measured.flatMap(({ variant, fault, at }) =>
      fault === undefined ? [] : [`${label(variant)}, ${at}: ${fault}`],
    ),
    ...results.faults.filter((fault) => fault.startsWith(`${part}: `)),
  ];
  const repeated = measured.flatMap(({ variant, repeats = 0, at }) =>
    repeats > 0
      ? [`${label(variant)}, ${at}: ${repeats} frames came again, which delivery at least once may do`]
      : [],
  );
  const invariant: Invariant = {
    what: "cells with a lost or failed message",
    got: faults.length,
    wants: { most: 0 },
  };
  return {
    invariant,
    notes: [...faults, ...repeated, ...results.absent.map((line) => `not measured: ${line}`)],
  };
}
