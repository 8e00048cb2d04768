/** Something in a template that the runtime cannot run faithfully, and where it is. */
export interface Problem {
  readonly stackName: string;
  /** Empty when it is about the stack as a whole. */
  readonly logicalId: string;
  readonly type: string;
  /** `TopicRulePayload.Actions[0].Shade`; empty when it is about the resource as a whole. */
  readonly path: string;
  readonly message: string;
}

/** All problems of an assembly; nothing has been created. */
export class TemplateProblems extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const count = problems.length === 1 ? 'One problem' : `${problems.length} problems`;
    const lines = problems.map((each) => `  ${describe(each)}`);
    super(`The assembly cannot be run on this machine. ${count}:\n${lines.join('\n')}`);
    this.name = 'TemplateProblems';
    this.problems = problems;
  }
}

/** A resource that its service refused to create. */
export class DeploymentFailure extends Error {
  constructor(problem: Problem, cause?: unknown) {
    super(`The deployment stopped:\n  ${describe(problem)}`, { cause });
    this.name = 'DeploymentFailure';
  }
}

function describe({ stackName, logicalId, type, path, message }: Problem): string {
  const resource = logicalId === '' ? stackName : `${stackName}/${logicalId} (${type})`;
  return `${resource}${path === '' ? '' : ` ${path}`}: ${message}`;
}
