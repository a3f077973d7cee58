/** A name in PascalCase: `high` is `High`, and `fanout-high` is `FanoutHigh`. */
export const pascalCase = (name: string): string =>
  name.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
