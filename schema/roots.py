"""What an operation asks the root for. By that it is counted, as clients may name operations whatever they like."""

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

SEVERAL = "several"
"In place of the combinations, of which clients could make as many as they like."


def root_field(operation: OperationDefinitionNode, document: DocumentNode) -> str:
    """The root field that a valid operation asks for, or that it asks for several."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    names: set[str] = set()
    waiting: list[SelectionSetNode] = [operation.selection_set]
    while waiting and len(names) < 2:
        for node in waiting.pop().selections:
            if isinstance(node, FieldNode):
                names.add(node.name.value)
            elif isinstance(node, InlineFragmentNode):
                waiting.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode) and node.name.value in fragments:
                # Looked at once, however often it is spread.
                waiting.append(fragments.pop(node.name.value).selection_set)
    return names.pop() if len(names) == 1 else SEVERAL
