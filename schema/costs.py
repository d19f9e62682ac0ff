"""What a document may ask for at most: lists in lists multiply, and nobody's request may keep all others waiting."""

from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLNamedType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationContext,
    ValidationRule,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
)

MOST_FIELDS_DEEP = 20
MOST_LISTS_DEEP = 3

Depth = tuple[int, int]
"How many fields, and how many lists, lie within one another at most."


class LimitedDepth(ValidationRule):
    """Refuses documents that nest too many fields in fields or lists in lists."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self._fragments: dict[str, Depth] = {}

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
        root = self.context.schema.get_root_type(node.operation)
        fields, lists = self._depth(node.selection_set, root)
        if fields > MOST_FIELDS_DEEP or lists > MOST_LISTS_DEEP:
            message = f"At most {MOST_FIELDS_DEEP} fields and {MOST_LISTS_DEEP} lists may lie within one another."
            self.report_error(GraphQLError(message, node))

    def _depth(self, selections: SelectionSetNode | None, parent: GraphQLNamedType | None) -> Depth:
        below = [self._depth_of(node, parent) for node in selections.selections] if selections else []
        return max((fields for fields, _ in below), default=0), max((lists for _, lists in below), default=0)

    def _depth_of(self, node: Any, parent: GraphQLNamedType | None) -> Depth:
        match node:
            case FieldNode():
                known = self.context.schema.get_field(parent, node.name.value) if is_composite_type(parent) else None
                fields, lists = self._depth(node.selection_set, get_named_type(known.type) if known else None)
                return fields + 1, lists + (known is not None and is_list_type(get_nullable_type(known.type)))
            case InlineFragmentNode(type_condition=condition):
                named = self.context.schema.get_type(condition.name.value) if condition else parent
                return self._depth(node.selection_set, named)
            case FragmentSpreadNode():
                return self._depth_of_fragment(node.name.value)
        raise AssertionError(f"no selection: {node}")

    def _depth_of_fragment(self, name: str) -> Depth:
        """Looked at once, however often it is spread; that one contains itself is another rule's affair."""
        if name not in self._fragments:
            self._fragments[name] = (0, 0)
            if fragment := self.context.get_fragment(name):
                named = self.context.schema.get_type(fragment.type_condition.name.value)
                self._fragments[name] = self._depth(fragment.selection_set, named)
        return self._fragments[name]
