/** Something in a template that the runtime cannot run faithfully, and where it is. */
export interface Problem {
  readonly stackName: string;
  readonly logicalId: string;
  readonly type: string;
  /** `TopicRulePayload.Actions[0].Shade`; empty when it is about the resource as a whole. */
  readonly path: string;
  readonly message: string;
}

/** All problems of an assembly: nothing has been created. */
export class TemplateProblems extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const lines = problems.map(({ stackName, logicalId, type, path, message }) => {
      const where = path === '' ? '' : ` ${path}`;
      return `  ${stackName}/${logicalId} (${type})${where}: ${message}`;
    });
    const count = problems.length === 1 ? 'One problem' : `${problems.length} problems`;
    super(`The assembly cannot be run on this machine. ${count}:\n${lines.join('\n')}`);
    this.name = 'TemplateProblems';
    this.problems = problems;
  }
}
