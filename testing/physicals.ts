import { FORMER_QUEUE_URL } from "../shared/settings/queues.ts";
import { API_ID } from "./access.ts";
import { type Physicals, referredTo } from "./resolve.ts";
import type { Place } from "./service.ts";
import type { Template, TemplateFunction } from "./template.ts";

/**
 * Emulated queues, tables, secret and API by logical id. Which is which is told by the variables of the template's
 * functions: what QUEUE_URL_HIGH refers to is the queue whose address `values` has under that name.
 */
export function physicalsOf(
  template: Template,
  functions: Readonly<Record<string, TemplateFunction>>,
  { values, secretArn, place }: PhysicalsOptions,
): Physicals {
  const { region, account } = place;
  const pairs = Object.values(functions)
    .flatMap(({ variables }) => Object.entries(variables))
    .filter(([name]) => name !== FORMER_QUEUE_URL)
    .flatMap(([name, value]) => {
      const id = referredTo(value);
      return id === undefined ? [] : [[id, template.Resources[id]?.Type, values[name]] as const];
    });
  const physicals = pairs.map(([id, type, value = ""]) => {
    switch (type) {
      case "AWS::SQS::Queue":
        return [id, { ref: value, arn: `arn:aws:sqs:${region}:${account}:${value.split("/").at(-1)}` }];
      case "AWS::DynamoDB::GlobalTable":
        return [id, { ref: value, arn: `arn:aws:dynamodb:${region}:${account}:table/${value}` }];
      case "AWS::SecretsManager::Secret":
        return [id, { ref: secretArn }];
      case "AWS::ApiGatewayV2::Api":
        return [id, { ref: API_ID }];
      default:
        throw new Error(`a variable refers to ${type}, which is not emulated`);
    }
  });
  return {
    "AWS::Partition": { ref: "aws" },
    "AWS::Region": { ref: region },
    "AWS::AccountId": { ref: account },
    "AWS::StackName": { ref: "Stack" },
    "AWS::URLSuffix": { ref: "amazonaws.com" },
    ...Object.fromEntries(physicals),
  };
}

interface PhysicalsOptions {
  /** Addresses and names of what is emulated, by the variable that holds them. */
  readonly values: Readonly<Record<string, string | undefined>>;
  readonly secretArn: string;
  readonly place: Place;
}
